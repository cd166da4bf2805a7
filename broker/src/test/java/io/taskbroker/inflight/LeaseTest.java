package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Status;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.inflight.api.PushOutcome;
import org.junit.jupiter.api.Test;

/// Leases and deadlines start when a worker receives the task, follow the monotonic clock, and wait
/// for neither the store nor the start of the broker.
final class LeaseTest {
  private static final long DEADLINE = 10_000 + RigOptions.GRACE;

  @Test
  void w21SlowStoreDoesNotShortenTheDeadline() {
    var rig = new EngineRig(RigOptions.push("app"));
    rig.assigned("tasks").send(Task.of("x").deadline(60));
    rig.answer(PushOutcome.ACCEPTED);
    rig.commits = false;
    rig.pass(5 * RigOptions.LEASE);
    assertThat(rig.deliveredIds()).containsExactly("x");
    assertThat(rig.noticed(EngineEvent.LEASE_PASSED)).isEmpty();
  }

  @Test
  void w21LeaseOfAPushStartsWithItsDelivery() {
    var rig = new EngineRig(RigOptions.push("app"));
    rig.worker = _ -> PushOutcome.UNREACHABLE;
    rig.assigned("tasks").send(Task.of("x"));
    rig.pass(10 * RigOptions.LEASE);
    rig.worker = _ -> null;
    rig.pass(2_000);
    assertThat(rig.calls).hasSize(1);
    rig.pass(RigOptions.LEASE - 2_000);
    assertThat(rig.noticed(EngineEvent.LEASE_PASSED)).isEmpty();
    rig.pass(2_000);
    assertThat(rig.noticed(EngineEvent.LEASE_PASSED)).containsExactly("x");
  }

  @Test
  void w24DeadlineOfAPullStartsWithTheAnswer() {
    var rig = new EngineRig(RigOptions.pull());
    RigPartition partition = rig.assigned("tasks");
    partition.send(Task.once("x").deadLetters());
    partition.commitOffset();
    rig.settle();
    rig.commits = false;
    RigReply claim = rig.claim();
    rig.pass(5_000);
    assertThat(claim.isAnswered()).isFalse();
    rig.commits = true;
    rig.settle();
    assertThat(claim.id()).isEqualTo("x");
    rig.pass(DEADLINE - 1);
    assertThat(rig.noticed(EngineEvent.DEADLINE_PASSED)).isEmpty();
    rig.pass(1);
    assertThat(rig.noticed(EngineEvent.DEADLINE_PASSED)).containsExactly("x");
  }

  @Test
  void w24DeadlineOfAPushStartsWhenTheWorkerAcceptsIt() {
    var rig = new EngineRig(RigOptions.push("app"));
    rig.assigned("tasks").send(Task.of("x"));
    rig.pass(5_000);
    rig.answer(PushOutcome.ACCEPTED);
    rig.pass(DEADLINE - 1);
    assertThat(rig.noticed(EngineEvent.DEADLINE_PASSED)).isEmpty();
    rig.pass(1);
    assertThat(rig.noticed(EngineEvent.DEADLINE_PASSED)).containsExactly("x");
  }

  @Test
  void w33DeadlinesRunFromTheStart() {
    var rig = new EngineRig(RigOptions.pull());
    rig.crash();
    rig.assigned("tasks").send(Task.of("x").deadline(1));
    assertThat(rig.claim().id()).isEqualTo("x");
    rig.pass(1_000 + RigOptions.GRACE);
    assertThat(rig.noticed(EngineEvent.DEADLINE_PASSED)).containsExactly("x");
    assertThat(rig.claim().id()).isEqualTo("x");
  }

  @Test
  void w33RestartsPostponeADeadlineOnce() {
    var rig = new EngineRig(RigOptions.pull());
    rig.assigned("tasks").send(Task.of("x"));
    assertThat(rig.claim().id()).isEqualTo("x");
    rig.pass(RigOptions.STATUS_WRITE_INTERVAL);
    long begin = rig.wall;
    while (rig.noticed(EngineEvent.DEADLINE_PASSED).isEmpty()) {
      assertThat(rig.wall - begin).isLessThan(DEADLINE + 2 * RigOptions.RESTART_GRACE);
      rig.crash();
      rig.pass(RigOptions.RESTART_GRACE / 2);
    }
    assertThat(rig.claim().id()).isEqualTo("x");
    rig.report(Status.COMPLETE, "x");
    assertThat(rig.store.rows()).isEmpty();
  }
}
