package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.EnginesOnSharedStore.Log;
import io.taskbroker.inflight.api.AttemptToken;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.Delivery;
import io.taskbroker.inflight.api.EnqueueOutcome;
import io.taskbroker.inflight.api.OutboxRecord;
import io.taskbroker.inflight.api.PushOutcome;
import io.taskbroker.inflight.api.QuarantineRequest;
import io.taskbroker.inflight.api.WorkerSession;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// H17: a partition that moves in order, as on every deployment, takes all its tasks in flight
/// along; running tasks run on and are not delivered again.
final class H17PartitionTransferTest {
  private final EnginesOnSharedStore peers =
      new EnginesOnSharedStore(RigOptions.push("app").settle(2_000).maxDelayed(1));
  private final EngineOnSharedStore a = peers.peer("a");
  private final EngineOnSharedStore b = peers.peer("b");
  private final Log log = peers.log("tasks", 0);

  private Row row(String id) {
    return peers.row(id).orElseThrow();
  }

  @Test
  void h17StatusOfARunningTaskIsWrittenAndItIsNotRedelivered() {
    a.take(log);
    a.send(log, Task.of("x"));
    a.answer(PushOutcome.ACCEPTED);
    assertThat(row("x").status()).isEqualTo(Status.PENDING);
    long deadline = peers.wall + 10_000 + RigOptions.GRACE;
    a.revokeAndRelease(log);
    assertThat(row("x").status()).isEqualTo(Status.PROCESSING);
    assertThat(row("x").processingDeadline()).isEqualTo(deadline);
    assertThat(a.depths()).isEqualTo(new Depths(0, 0, 0, 0, 0, 0));

    b.take(log);
    peers.pass(5_000);
    assertThat(b.deliveries).isEmpty();
    assertThat(b.report(Status.COMPLETE, "x").isAnswered()).isTrue();
    assertThat(peers.disk.rows()).isEmpty();
  }

  @Test
  void h17WorkerKeepsATaskThatLeftTheBrokerAndCameBack() {
    a.take(log);
    a.send(log, Task.of("x"));
    a.answer(PushOutcome.ACCEPTED);
    a.revokeAndRelease(log);
    a.take(log);
    var cancelled = new ArrayList<String>();
    var session =
        new WorkerSession() {
          @Override
          public boolean mayReceive() {
            return false;
          }

          @Override
          public String worker() {
            return "";
          }

          @Override
          public Description description() {
            return new Description("", "", "", 0, 0);
          }

          @Override
          public void handled() {}

          @Override
          public void holds(int tasks) {}

          @Override
          public void deliver(Delivery delivery) {}

          @Override
          public void cancel(String id, AttemptToken token, boolean requested) {
            cancelled.add(id);
          }
        };
    a.tell(new Command.WorkerOpened(session, "app", List.of(), 1));
    a.tell(
        new Command.WorkerHeartbeat(
            session, List.of(new Command.TaskHeartbeat("x", a.deliveries.getFirst().token()))));
    peers.pass(1);
    assertThat(cancelled).isEmpty();
  }

  @Test
  void h17PendingTaskIsDeliveredAtOnceByTheNextOwner() {
    a.take(log);
    a.worker = _ -> PushOutcome.UNREACHABLE;
    a.send(log, Task.of("x"), Task.once("y"));
    a.revokeAndRelease(log);
    assertThat(row("y").status()).isEqualTo(Status.PENDING);
    b.take(log);
    assertThat(b.deliveredIds()).containsExactly("x", "y");
    assertThat(log.committed).isEqualTo(2);
  }

  @Test
  void h17ReleaseWaitsForTheAnswerOfTheWorker() {
    a.take(log);
    a.send(log, Task.of("x"), Task.once("y"));
    a.revoke(log, false);
    assertThat(a.undrained).contains(log.source);
    assertThat(a.deliveredIds()).containsExactly("x", "y");
    a.answer(a.calls.getFirst(), PushOutcome.ACCEPTED);
    a.answer(a.calls.getFirst(), PushOutcome.ACCEPTED);
    assertThat(a.undrained).isEmpty();
    assertThat(row("x").status()).isEqualTo(Status.PROCESSING);
    assertThat(row("y").status()).isEqualTo(Status.PROCESSING);
    assertThat(row("y").processingDeadline()).isNotEqualTo(Row.NONE);
    a.release(log);
    b.take(log);
    peers.pass(9_000);
    assertThat(b.deliveries).isEmpty();
  }

  @Test
  void h17BusyWorkerLeavesNoStatusUpdate() {
    a.take(log);
    a.send(log, Task.once("y"));
    a.revoke(log, false);
    a.answer(PushOutcome.BUSY);
    assertThat(a.undrained).isEmpty();
    assertThat(row("y").status()).isEqualTo(Status.PENDING);
    a.release(log);
    b.take(log);
    assertThat(b.deliveredIds()).containsExactly("y");
  }

  @Test
  void h17StatusOfAnUndeliveredTaskIsReverted() {
    a.take(log);
    a.commits = false;
    a.send(log, Task.once("y"));
    a.commit(2);
    assertThat(a.deliveries).isEmpty();
    a.revoke(log, false);
    a.commit(10);
    a.commit(10);
    assertThat(a.deliveries).isEmpty();
    assertThat(a.undrained).isEmpty();
    assertThat(row("y").status()).isEqualTo(Status.PENDING);
  }

  @Test
  void h17DrainedOnlyWhenAllChangesAreDurable() {
    a.take(log);
    a.send(log, Task.of("x"), Task.of("y"));
    a.answer(a.calls.getFirst(), PushOutcome.ACCEPTED);
    a.answer(a.calls.getFirst(), PushOutcome.ACCEPTED);
    a.commits = false;
    RigReply reply = a.report(Status.COMPLETE, "x");
    a.revoke(log, false);
    assertThat(a.undrained).contains(log.source);
    assertThat(reply.isAnswered()).isFalse();
    a.commit(1);
    assertThat(reply.isAnswered()).isTrue();
    assertThat(a.undrained).contains(log.source);
    a.commit(1);
    assertThat(a.undrained).isEmpty();
    assertThat(row("y").status()).isEqualTo(Status.PROCESSING);
  }

  @Test
  void h17ReleaseWaitsForForwardedTasks() {
    a.take(log);
    a.send(log, Task.of("x"));
    a.answer(PushOutcome.ACCEPTED);
    a.report(Status.RETRY, "x");
    a.revoke(log, false);
    assertThat(a.undrained).contains(log.source);
    a.acknowledge(a.outbox.getFirst());
    a.settle();
    assertThat(a.undrained).isEmpty();
    assertThat(peers.disk.rows()).isEmpty();
  }

  @Test
  void h17TaskNotProducedInTimeIsProducedByTheNextOwner() {
    a.take(log);
    a.send(log, Task.of("x"));
    a.answer(PushOutcome.ACCEPTED);
    a.report(Status.RETRY, "x");
    a.revoke(log, false);
    OutboxRecord record = a.outbox.getFirst();
    a.release(log);
    assertThat(a.undrained).isEmpty();
    a.acknowledge(record);
    a.settle();
    assertThat(peers.disk.rows()).hasSize(1);
    b.take(log);
    assertThat(b.outbox).hasSize(1);
    b.acknowledge(b.outbox.getFirst());
    b.settle();
    assertThat(peers.disk.rows()).isEmpty();
  }

  @Test
  void h17QuarantinedTasksMoveToo() {
    a.take(log);
    a.send(log, Task.of("x").deadLetters());
    a.answer(PushOutcome.ACCEPTED);
    a.report(Status.FAILURE, "x");
    a.tell(new Command.ProduceRefused(a.outbox.removeFirst(), "too large"));
    a.settle();
    a.revokeAndRelease(log);
    b.take(log);
    assertThat(b.outbox).hasSize(1);
    assertThat(a.depths()).isEqualTo(new Depths(0, 0, 0, 0, 0, 0));
  }

  @Test
  void h17NewTopicOfAQuarantinedTaskIsWrittenBeforeItMoves() {
    a.take(log);
    a.send(log, Task.of("x").deadLetters());
    a.answer(PushOutcome.ACCEPTED);
    a.report(Status.FAILURE, "x");
    a.tell(new Command.ProduceRefused(a.outbox.removeFirst(), "too large"));
    a.settle();
    a.commits = false;
    a.tell(
        new Command.Quarantined(
            new QuarantineRequest(QuarantineRequest.Action.RETARGET, List.of(), "", "renamed", 10),
            _ -> {}));
    a.settle();
    a.revoke(log, false);
    a.settle();
    assertThat(a.undrained).contains(log.source);
    a.commits = true;
    a.settle();
    if (!a.outbox.isEmpty()) {
      a.acknowledge(a.outbox.getFirst());
      a.settle();
    }
    a.release(log);
    assertThat(a.undrained).isEmpty();
    assertThat(peers.disk.rows())
        .allMatch(row -> row.forwardTo() != null && row.forwardTo().topic().equals("renamed"));
  }

  @Test
  void h17DelayedAndParkedRowsMove() {
    a.take(log);
    long soon = peers.wall + 5_000;
    a.send(log, Task.of("near").delayUntil(soon), Task.of("far").delayUntil(soon + 1));
    assertThat(a.depths().delayed()).isOne();
    assertThat(a.depths().parked()).isOne();
    a.revokeAndRelease(log);
    assertThat(a.depths()).isEqualTo(new Depths(0, 0, 0, 0, 0, 0));
    b.take(log);
    peers.pass(4_999);
    assertThat(b.deliveries).isEmpty();
    peers.pass(2);
    assertThat(b.deliveredIds()).containsExactly("near", "far");
    assertThat(a.deliveries).isEmpty();
  }

  @Test
  void h17AcquiredParkedRowsAreFoundWhereverTheCursorIs() {
    Log other = peers.log("tasks", 1);
    b.worker = _ -> PushOutcome.ACCEPTED;
    b.take(other);
    b.send(other, Task.of("n").delayUntil(peers.wall + 1_000));
    b.send(other, Task.of("p").delayUntil(peers.wall + 1_000));
    a.take(log);
    long due = peers.wall + 1_500;
    a.send(log, Task.of("n2").delayUntil(due), Task.of("q").delayUntil(due));
    peers.pass(1_000);
    assertThat(b.deliveredIds()).containsExactly("n", "p");
    a.revokeAndRelease(log);
    peers.pass(10_000);
    b.take(log);
    peers.pass(1);
    assertThat(b.deliveredIds()).containsExactlyInAnyOrder("n", "p", "n2", "q");
  }

  @Test
  void h15RowIsParkedBehindTheCursorWhateverItsKey() {
    a.worker = _ -> PushOutcome.ACCEPTED;
    long due = peers.wall + 1_500;
    Log other = peers.log("tasks", 1);
    b.take(other); // whose keys are larger
    b.send(other, Task.of("n").delayUntil(due), Task.of("p").delayUntil(due));
    b.revokeAndRelease(other);
    a.take(other);
    peers.pass(1_000); // p is unparked
    assertThat(a.depths().parked()).isZero();
    a.take(log);
    a.send(log, Task.of("q").delayUntil(due));
    peers.pass(2_000);
    assertThat(a.deliveredIds()).containsExactlyInAnyOrder("n", "p", "q");
  }

  @Test
  void h17ReadingResumesAtTheWatermark() {
    a.take(log);
    a.send(log, Task.of("x"));
    a.answer(PushOutcome.ACCEPTED);
    a.report(Status.COMPLETE, "x");
    a.revokeAndRelease(log);
    b.take(log);
    b.send(log, Task.of("y"));
    assertThat(b.deliveredIds()).containsExactly("y");
    assertThat(a.deliveredIds()).containsExactly("x");
  }

  @Test
  void h17PendingTasksWaitForReportsAfterACrash() {
    a.take(log);
    a.send(log, Task.of("x"), Task.of("y"));
    a.answer(a.calls.getFirst(), PushOutcome.ACCEPTED);
    a.crash();
    b.take(log);
    assertThat(b.deliveries).isEmpty();
    assertThat(b.report(Status.COMPLETE, "x").isAnswered()).isTrue();
    peers.pass(2_000);
    assertThat(b.deliveredIds()).containsExactly("y");
  }

  @Test
  void h16DeadlinesThatPassedMeanwhileAreExtendedOnce() {
    a.take(log);
    a.send(log, Task.of("x").deadline(1));
    a.answer(PushOutcome.ACCEPTED);
    peers.pass(RigOptions.STATUS_WRITE_INTERVAL);
    a.crash();
    peers.pass(100_000);
    b.take(log);
    peers.pass(RigOptions.RESTART_GRACE - 1);
    assertThat(b.deliveries).isEmpty();
    b.revokeAndRelease(log);
    a.start();
    a.take(log);
    peers.pass(1);
    assertThat(a.deliveredIds()).containsExactly("x", "x");
  }

  @Test
  void h23TasksWithoutAPartitionStay() {
    var canary = Task.of("canary").at(new Origin("tasks", -1, 0), 0);
    a.take(log);
    a.tell(
        new Command.Enqueue(
            List.of(canary),
            new Command.EnqueueReply() {
              @Override
              public void done(List<EnqueueOutcome> outcomes) {}

              @Override
              public void unavailable(String why) {}
            }));
    a.settle();
    a.revokeAndRelease(log);
    b.take(log);
    assertThat(a.depths().handedOut()).isOne();
    assertThat(b.depths().handedOut()).isZero();
    a.crash();
    a.start();
    peers.pass(2_000);
    assertThat(a.deliveredIds()).containsExactly("canary", "canary");
  }

  /// A broker acquires rows beyond its limits; new records wait until it is below them.
  @Test
  void h13AcquiredRowsMayExceedTheLimitsAndNewRecordsWait() {
    var engines = new EnginesOnSharedStore(RigOptions.push("app").maxPending(2));
    EngineOnSharedStore taker = engines.peer("a");
    EngineOnSharedStore giver = engines.peer("b");
    Log own = engines.log("tasks", 0);
    Log other = engines.log("tasks", 1);
    taker.worker = _ -> PushOutcome.UNREACHABLE;
    giver.worker = _ -> PushOutcome.UNREACHABLE;
    taker.take(own);
    giver.take(other);
    taker.send(own, Task.of("a0"), Task.of("a1"));
    giver.send(other, Task.of("b0"), Task.of("b1"));
    giver.revokeAndRelease(other);
    taker.take(other);
    assertThat(taker.depths().pending()).isEqualTo(4);

    taker.send(own, Task.of("a2"));
    assertThat(taker.depths().pending()).isEqualTo(4);
    assertThat(engines.row("a2")).isEmpty();

    taker.worker = _ -> PushOutcome.ACCEPTED;
    engines.pass(2_000);
    taker.report(Status.COMPLETE, "a0", "a1", "b0", "b1");
    engines.pass(1_000);
    assertThat(engines.row("a2")).isPresent();
  }
}
