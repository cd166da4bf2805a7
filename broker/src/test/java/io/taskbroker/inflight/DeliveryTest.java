package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Status;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.inflight.api.PushOutcome;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// Delivery: which task to which worker, in which order, and for how long.
final class DeliveryTest {
  private static final long DEADLINE = 10_000 + RigOptions.GRACE;

  private final EngineRig rig = new EngineRig(RigOptions.pull());
  private final RigPartition partition = rig.assigned("tasks");

  @Test
  void pullDeliversTheOldestFirst() {
    partition.send(
        Task.of("1").application("a").namespace("x"),
        Task.of("2").application("b").namespace("x"),
        Task.of("3").application("a").namespace("y"),
        Task.of("4").application("").namespace("x"));
    assertThat(rig.claim("a", "y").id()).isEqualTo("3");
    assertThat(rig.claim().id()).isEqualTo("1");
    assertThat(rig.claim("b", null).id()).isEqualTo("2");
    assertThat(rig.claim().id()).isEqualTo("4");
    assertThat(rig.claim().id()).isEmpty();
  }

  @Test
  void nothingIsDeliveredToAWorkerThatIsGone() {
    partition.send(Task.of("x"), Task.of("y"));
    assertThat(rig.claimAndGo().id()).isEmpty();
    assertThat(rig.claim().id()).isEqualTo("x");

    var gone = new RigReply();
    gone.gone = true;
    rig.tell(
        new Command.Report(
            List.of(new Command.Update("x", Status.COMPLETE, -1, -1)),
            new Command.Claim(null, null, gone),
            gone));
    rig.settle();
    assertThat(gone.isAnswered()).isTrue();
    assertThat(gone.id()).isEmpty();
    assertThat(rig.claim().id()).isEqualTo("y");
  }

  @Test
  void atMostOnceTaskRunsAlthoughAWorkerLeftBeforeItsStatusWasDurable() {
    partition.send(Task.once("x"));
    partition.commitOffset();
    rig.commits = false;
    var gone = new RigReply();
    rig.tell(new Command.Claim(null, null, gone));
    gone.gone = true;
    rig.commitAndSettle();
    assertThat(gone.id()).isEmpty();
    rig.commits = true;
    rig.commitAndSettle();
    assertThat(rig.claim().id()).isEqualTo("x");
  }

  @Test
  void filtersAreApplied() {
    partition.send(Task.of("1").application("a").namespace("x"));
    assertThat(rig.claim("b", null).id()).isEmpty();
    assertThat(rig.claim("a", "y").id()).isEmpty();
    assertThat(rig.claim("b", "x").id()).isEmpty();
    assertThat(rig.claim(null, "x").id()).as("namespace without application").isEmpty();
    assertThat(rig.claim("a", "x").id()).isEqualTo("1");
  }

  @Test
  void nothingIsDeliveredBeforeItIsDurable() {
    rig.commits = false;
    partition.send(Task.of("x"));
    assertThat(rig.claim().id()).isEmpty();
    rig.commitAndSettle();
    assertThat(rig.claim().id()).isEqualTo("x");
  }

  @Test
  void delayedTaskRunsAtItsTime() {
    partition.send(Task.of("x").delayUntil(rig.wall + 500));
    assertThat(rig.depths().delayed()).isEqualTo(1);
    rig.pass(499);
    assertThat(rig.claim().id()).isEmpty();
    rig.pass(1);
    assertThat(rig.claim().id()).isEqualTo("x");
  }

  @Test
  void delayedTaskIsPushedAtItsTime() {
    var pushed = new EngineRig(RigOptions.push("app"));
    pushed.assigned("tasks").send(Task.of("x").delayUntil(pushed.wall + 500));
    pushed.pass(499);
    assertThat(pushed.deliveries).isEmpty();
    pushed.pass(1);
    assertThat(pushed.deliveredIds()).containsExactly("x");
  }

  @Test
  void expiredTaskIsDiscarded() {
    partition.send(Task.of("x").expiresAt(rig.wall + 1_000));
    rig.pass(1_000);
    assertThat(rig.expired()).containsExactly("x");
    assertThat(rig.store.rows()).isEmpty();
    assertThat(rig.claim().id()).isEmpty();
  }

  @Test
  void expiredTaskIsDeadLetteredByItsPolicy() {
    partition.send(Task.of("x").expiresAt(rig.wall + 1_000).deadLetters());
    rig.pass(1_000);
    assertThat(rig.outboxIds()).containsExactly("x");
  }

  @Test
  void taskThatArrivesExpiredMeetsItsPolicy() {
    partition.send(
        Task.of("discard").expiresAt(rig.wall),
        Task.of("letter").expiresAt(rig.wall).deadLetters());
    assertThat(rig.expired()).containsExactly("discard", "letter");
    assertThat(rig.outboxIds()).containsExactly("letter");
    assertThat(rig.store.rows()).hasSize(1);
    assertThat(partition.consumed).isEqualTo(2);
  }

  @Test
  void runningTaskDoesNotExpire() {
    partition.send(Task.of("x").expiresAt(rig.wall + 1_000));
    rig.claim();
    rig.pass(DEADLINE - 1);
    assertThat(rig.expired()).isEmpty();
    rig.pass(1);
    assertThat(rig.expired()).containsExactly("x");
  }

  @Test
  void deadlineIsThatOfTheTaskPlusTheGrace() {
    partition.send(Task.of("x").deadline(10), Task.of("none").deadline(0));
    rig.claim();
    rig.claim();
    rig.pass(RigOptions.GRACE - 1);
    assertThat(rig.noticed(EngineEvent.DEADLINE_PASSED)).isEmpty();
    rig.pass(1);
    assertThat(rig.noticed(EngineEvent.DEADLINE_PASSED)).containsExactly("none");
    rig.pass(DEADLINE - RigOptions.GRACE - 1);
    assertThat(rig.noticed(EngineEvent.DEADLINE_PASSED)).containsExactly("none");
    rig.pass(1);
    assertThat(rig.noticed(EngineEvent.DEADLINE_PASSED)).containsExactly("none", "x");
  }

  @Test
  void longestDeadlineDoesNotWrapAround() {
    partition.send(Task.of("x").deadline(Integer.MAX_VALUE));
    rig.claim();
    rig.pass(RigOptions.STATUS_WRITE_INTERVAL);
    assertThat(rig.store.row("x").orElseThrow().processingDeadline())
        .isEqualTo(
            rig.wall
                - RigOptions.STATUS_WRITE_INTERVAL
                + Integer.MAX_VALUE * 1_000L
                + RigOptions.GRACE);
  }

  @Test
  void taskFailsAfterFiveDeliveries() {
    partition.send(Task.of("x").deadLetters());
    for (int i = 1; i <= 5; i++) {
      assertThat(rig.claim().id()).isEqualTo("x");
      assertThat(rig.deliveries.getLast().deliveries()).isEqualTo(i);
      rig.pass(DEADLINE);
    }
    assertThat(rig.claim().id()).isEmpty();
    assertThat(rig.outboxIds()).containsExactly("x");
  }

  @Test
  void attemptsAreCountedAcrossRestarts() {
    partition.send(Task.of("x"));
    for (int i = 0; i < 5; i++) {
      assertThat(rig.claim().id()).isEqualTo("x");
      rig.pass(DEADLINE);
      rig.crash();
    }
    assertThat(rig.claim().id()).isEmpty();
    assertThat(rig.noticed(EngineEvent.DISCARDED)).containsExactly("x");
  }

  @Test
  void passedLeaseIsNoAttempt() {
    var pushed = new EngineRig(RigOptions.push("app"));
    pushed.assigned("tasks").send(Task.of("x"));
    pushed.pass(10 * RigOptions.LEASE);
    // The window allows four calls, and none of them is answered.
    assertThat(pushed.deliveries).hasSize(4);
    assertThat(pushed.noticed(EngineEvent.LEASE_PASSED)).hasSize(4);
    assertThat(pushed.noticed(EngineEvent.DISCARDED)).isEmpty();
    List.copyOf(pushed.calls).forEach(call -> pushed.answer(call, PushOutcome.LOST));
    pushed.pass(2_000);
    assertThat(pushed.deliveries).hasSize(5);
  }

  @Test
  void applicationWithoutAWorkerIsReportedAndDoesNotSpin() {
    var pushed = new EngineRig(RigOptions.push("app"));
    RigPartition from = pushed.assigned("tasks");
    from.send(Task.of("x").application("nobody"), Task.of("y").application("nobody"));
    from.send(Task.of("z"));
    assertThat(pushed.deliveredIds()).containsExactly("z");
    assertThat(pushed.noticed(EngineEvent.NO_WORKER)).containsExactly("nobody");
    pushed.answer(PushOutcome.ACCEPTED);
    pushed.report(Status.COMPLETE, "z");
    assertThat(pushed.engine().nextWake() - pushed.now).isGreaterThanOrEqualTo(900);
    pushed.pass(100_000);
    assertThat(pushed.engine().nextWake()).isEqualTo(Long.MAX_VALUE);
    assertThat(pushed.depths().pending()).isEqualTo(2);
  }

  @Test
  void deadWorkerIsProbedAndFoundAliveWithinASecond() {
    var pushed = new EngineRig(RigOptions.push("app"));
    RigPartition from = pushed.assigned("tasks");
    pushed.worker = _ -> PushOutcome.UNREACHABLE;
    from.send(IntStream.range(0, 50).mapToObj(i -> Task.of("t" + i)).toArray(Task[]::new));
    pushed.pass(60_000);
    assertThat(pushed.deliveries.size()).isBetween(60, 200);
    assertThat(pushed.noticed(EngineEvent.WORKER_UNREACHABLE)).hasSize(1);
    pushed.worker = _ -> PushOutcome.ACCEPTED;
    pushed.pass(1_000);
    assertThat(pushed.depths().handedOut()).isEqualTo(50);
  }

  @Test
  void delayedTaskRunsAfterOtherApplicationsWereEvicted() {
    partition.send(Task.of("x").application("quiet").delayUntil(rig.wall + 60_000));
    for (int i = 0; i < 1_100; i++) {
      partition.send(Task.of("t" + i).application("app-" + i));
      rig.claim("app-" + i, null);
      rig.report(Status.COMPLETE, "t" + i);
    }
    rig.pass(60_000);
    assertThat(rig.claim("quiet", null).id()).isEqualTo("x");
  }

  /// The engine wakes up when there is something to do, makes progress then, and sleeps in between.
  @Test
  void wakeUpsAreInTheFutureAndEachMakesProgress() {
    var pushed = new EngineRig(RigOptions.push("app").maxDelayed(3));
    RigPartition from = pushed.assigned("tasks");
    List<PushOutcome> outcomes = List.of(PushOutcome.values());
    pushed.worker =
        delivery ->
            outcomes.get(
                Math.floorMod(delivery.id().hashCode() + delivery.deliveries(), outcomes.size()));
    List<Task> tasks = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      tasks.add(
          Task.of("t" + i)
              .deadline(i % 7)
              .delayUntil(i % 3 == 0 ? pushed.wall + 997L * i : 0)
              .expiresAt(i % 4 == 0 ? pushed.wall + 20_011L * i + 1 : Long.MAX_VALUE));
    }
    from.send(tasks.toArray(Task[]::new));
    int timerHandler = 0;
    while (pushed.engine().nextWake() != Long.MAX_VALUE) {
      long wake = pushed.engine().nextWake();
      assertThat(wake).isGreaterThan(pushed.now);
      pushed.pass(wake - pushed.now);
      timerHandler++;
      assertThat(timerHandler).isLessThan(10_000);
    }
    assertThat(pushed.depths()).isEqualTo(new Depths(0, 0, 0, 0, 0, 0));
    assertThat(pushed.store.rows()).isEmpty();
  }
}
