package io.taskbroker.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Status;
import io.taskbroker.proto.v1.RetryState;
import io.taskbroker.simulation.WorkerScript.Act;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/// One small history with a crash at every point of it: before, in and after each transaction, and
/// before, during and after each record and offset sent to Kafka. The second test adds a second
/// crash at each of the following points. `-Dsimulation.sweep=N` sweeps N seeds, and N points after
/// each.
@Timeout(value = 1, unit = TimeUnit.HOURS)
@ExtendWith(SilentLogs.class)
final class CrashSweepTest {
  private static final int SWEEP = Integer.getInteger("simulation.sweep", 2);
  private static final SeedPlan PLAN = SeedPlan.calm().withLimits(4, 0).withSeconds(10);

  @Test
  void aCrashAtAnyPointBreaksNothing() {
    for (int seed = 1; seed <= SWEEP; seed++) {
      long points = run(seed).points();
      assertThat(points).as("points of seed %d", seed).isGreaterThan(50);
      for (long point = 1; point <= points; point++) {
        assertThat(run(seed, point).counts()).containsKey("crashes");
      }
      System.out.printf("seed %d: a crash at each of %d points%n", seed, points);
    }
  }

  @Test
  void asDoesASecondCrashAfterIt() {
    long points = run(1).points();
    int runs = 0;
    for (long point = 1; point <= points; point++) {
      for (long second = point + 1; second <= point + SWEEP; second++) {
        run(1, point, second);
        runs++;
      }
    }
    System.out.printf("seed 1: %d times two crashes%n", runs);
    assertThat(runs).isPositive();
  }

  private static SimulatedWorld run(long seed, long... points) {
    var simulation = new Simulation(seed, false, Tampering.NONE, PLAN, CrashSweepTest::script);
    for (long point : points) {
      simulation.world.crashAt(point);
    }
    try {
      simulation.run();
    } catch (RuntimeException | Violation e) {
      throw new AssertionError(
          "seed " + seed + ", crash at " + java.util.Arrays.toString(points), e);
    }
    return simulation.world;
  }

  /// Script with every path of a task through a broker.
  private static void script(Story story) {
    story.workers.act("retried", new Act(SimulatedWorld.MS, Status.RETRY));
    story.workers.act("failed", new Act(SimulatedWorld.MS, Status.FAILURE));
    story.workers.act("failed-once", new Act(SimulatedWorld.MS, Status.FAILURE));
    story.workers.act("long", new Act(1_500 * SimulatedWorld.MS, Status.COMPLETE));
    story.at(
        2,
        () -> {
          story.publish("done");
          story.publishOnce("once");
          story.publish("retried");
          story.publish("failed");
        });
    story.at(
        2.3,
        () -> {
          story.publishOnce("failed-once");
          story.publish("delayed", task -> task.setDelay(2));
          story.publish("parked", task -> task.setDelay(15));
          story.replay(Ledger.poison());
        });
    story.at(
        2.6,
        () -> {
          story.publish("long");
          story.publish("expired", task -> task.setExpires(0));
          story.publish("forgotten", task -> task.setRetryState(RetryState.getDefaultInstance()));
          story.publish("done");
        });
  }
}
