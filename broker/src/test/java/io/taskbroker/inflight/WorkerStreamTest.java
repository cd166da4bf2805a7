package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.FailurePolicy;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.api.AttemptToken;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.Command.Outcome;
import io.taskbroker.inflight.api.Delivery;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.inflight.api.EnqueueOutcome;
import io.taskbroker.inflight.api.OperatorRequest;
import io.taskbroker.inflight.api.ResultStatus;
import io.taskbroker.inflight.api.WorkerStats;
import io.taskbroker.protocol.v1.RetryPolicy;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Workers that open streams: they get as many tasks as they have slots, a result counts for its
/// attempt only, and the tasks of a dead worker run elsewhere (G2, G3, docs/adr/0026).
final class WorkerStreamTest {
  private final EngineRig rig = new EngineRig(RigOptions.pull());

  @Test
  void workerHasAsManyTasksAsSlots() {
    RigWorker worker = RigWorker.open(rig, 2);
    enqueue(Task.of("a"), Task.of("b"), Task.of("c"));
    assertThat(worker.ids()).containsExactly("a", "b");
    worker.complete(worker.received.get(1));
    assertThat(worker.ids()).containsExactly("a", "b", "c");
    worker.slots(0);
    enqueue(Task.of("d"));
    worker.complete(worker.received.get(0), worker.received.get(2));
    assertThat(worker.ids()).doesNotContain("d");
    worker.slots(1);
    assertThat(worker.ids()).endsWith("d");
  }

  @Test
  void operatorsSeeWorkersWithTheirSlots() {
    RigWorker worker = RigWorker.open(rig, 3, "x");
    RigWorker idle = RigWorker.open(rig, 1, "y");
    enqueue(Task.of("a").namespace("x"), Task.of("b").namespace("x"));
    List<WorkerStats> seen = workers(100);
    assertThat(seen).extracting(WorkerStats::inUse).containsExactly(2, 0);
    assertThat(seen.getFirst().tasks()).containsExactlyInAnyOrder("a", "b");
    assertThat(seen.getFirst().slots()).isEqualTo(3);
    assertThat(seen.getFirst().application()).isEqualTo("app");
    assertThat(seen.getFirst().namespaces()).containsExactly("x");
    assertThat(seen.getFirst().worker().name()).isEqualTo("rig");
    assertThat(workers(1)).hasSize(1);
    worker.complete(worker.last());
    assertThat(workers(100)).extracting(WorkerStats::inUse).containsExactly(1, 0);
    idle.close(false);
    assertThat(workers(100)).hasSize(1);
  }

  private List<WorkerStats> workers(int limit) {
    List<WorkerStats> found = new ArrayList<>();
    rig.tell(new Command.Operate(new OperatorRequest.Workers(limit, found::addAll)));
    rig.settle();
    return found;
  }

  @Test
  void g2ResultIsAnsweredWhenItIsDurable() {
    RigWorker worker = RigWorker.open(rig, 1);
    enqueue(Task.of("a"));
    rig.commits = false;
    RigWorker.Answer answer = worker.complete(worker.last());
    assertThat(answer.statuses).isEmpty();
    rig.commitAndSettle();
    assertThat(answer.statuses).containsExactly(ResultStatus.ACCEPTED);
    assertThat(rig.store.rows()).isEmpty();
  }

  @Test
  void workerGetsTasksOfItsNamespacesInArrivalOrder() {
    enqueue(Task.of("a").namespace("x"), Task.of("b").namespace("y"), Task.of("c").namespace("z"));
    RigWorker worker = RigWorker.open(rig, 5, "z", "x");
    assertThat(worker.ids()).containsExactly("a", "c");
  }

  @Test
  void g8SeveralWorkersTakeTurns() {
    RigWorker one = RigWorker.open(rig, 1_000);
    RigWorker other = RigWorker.open(rig, 1_000);
    List<Task> tasks = new ArrayList<>();
    for (int i = 0; i < 64; i++) {
      tasks.add(Task.of("t" + i));
    }
    enqueue(tasks.toArray(Task[]::new));
    assertThat(one.received).hasSize(32);
    assertThat(other.received).hasSize(32);
  }

  @Test
  void g7WorkerThatDoesNotReadGetsNothing() {
    RigWorker worker = RigWorker.open(rig, 10);
    worker.reads = false;
    enqueue(Task.of("a"));
    assertThat(worker.received).isEmpty();
    worker.reads = true;
    worker.slots(10);
    assertThat(worker.ids()).containsExactly("a");
  }

  @Test
  void tasksOfASilentWorkerRunElsewhereAtOnce() {
    RigWorker dead = RigWorker.open(rig, 1);
    enqueue(Task.of("a"));
    RigWorker other = RigWorker.open(rig, 1);
    dead.close(true);
    assertThat(other.ids()).containsExactly("a");
    assertThat(other.last().token()).isGreaterThan(dead.last().token());
    assertThat(rig.noticed(EngineEvent.WORKER_LOST)).containsExactly("a");
  }

  @Test
  void tasksOfABrokenStreamWaitForTheirWorkerAMoment() {
    RigWorker dead = RigWorker.open(rig, 1);
    enqueue(Task.of("a"));
    RigWorker other = RigWorker.open(rig, 1);
    dead.close(false);
    rig.pass(Workers.RECONNECT_MS - 1);
    assertThat(other.received).isEmpty();
    rig.pass(1);
    assertThat(other.ids()).containsExactly("a");
  }

  @Test
  void aWorkerThatComesBackKeepsItsTasks() {
    RigWorker before = RigWorker.open(rig, 1);
    enqueue(Task.of("a"));
    before.close(false);
    RigWorker after = RigWorker.open(rig, 1);
    after.heartbeat(before.last());
    rig.pass(Workers.RECONNECT_MS + 1_000);
    assertThat(after.received).isEmpty();
    enqueue(Task.of("b"));
    assertThat(after.received).as("its slot is taken").isEmpty();
    assertThat(after.complete(before.last()).statuses).containsExactly(ResultStatus.ACCEPTED);
    assertThat(after.ids()).containsExactly("b");
  }

  @Test
  void aResultThatTheBrokenStreamLostIsAcceptedOnTheNext() {
    RigWorker before = RigWorker.open(rig, 1);
    enqueue(Task.of("a"));
    before.close(false);
    RigWorker after = RigWorker.open(rig, 1);
    assertThat(after.complete(before.last()).statuses).containsExactly(ResultStatus.ACCEPTED);
    assertThat(rig.store.rows()).isEmpty();
  }

  @Test
  void h18AStaleResultIsRefusedAndDoesNothing() {
    RigWorker slow = RigWorker.open(rig, 1);
    enqueue(Task.of("a").deadline(1));
    rig.pass(1_000 + RigOptions.GRACE);
    assertThat(slow.cancelled).containsExactly("a");
    RigWorker other = RigWorker.open(rig, 1);
    assertThat(other.ids()).containsExactly("a");
    assertThat(slow.complete(slow.last()).statuses).containsExactly(ResultStatus.STALE);
    assertThat(slow.fail(slow.last()).statuses).containsExactly(ResultStatus.STALE);
    assertThat(other.complete(other.last()).statuses).containsExactly(ResultStatus.ACCEPTED);
    assertThat(other.complete(other.last()).statuses).containsExactly(ResultStatus.UNKNOWN);
  }

  @Test
  void heartbeatsOfATaskExtendItsDeadline() {
    RigWorker worker = RigWorker.open(rig, 1);
    enqueue(Task.of("a").deadline(10));
    for (int i = 0; i < 20; i++) {
      rig.pass(9_000);
      worker.heartbeat(worker.last());
    }
    assertThat(worker.cancelled).isEmpty();
    assertThat(worker.complete(worker.last()).statuses).containsExactly(ResultStatus.ACCEPTED);
  }

  @Test
  void h16AWorkerFindsItsTaskAfterARestart() {
    RigWorker worker = RigWorker.open(rig, 1);
    enqueue(Task.of("a").deadline(100));
    rig.pass(90_000);
    worker.heartbeat(worker.last());
    rig.pass(RigOptions.STATUS_WRITE_INTERVAL);
    assertThat(rig.store.rows().getFirst().processingDeadline()).isEqualTo(Row.NONE);
    rig.crash();
    RigWorker again = RigWorker.open(rig, 1);
    again.heartbeat(worker.last());
    assertThat(again.cancelled).isEmpty();
    assertThat(again.complete(worker.last()).statuses).containsExactly(ResultStatus.ACCEPTED);
  }

  /// A worker that was told to stop an attempt, and never reports it, has its slot for it alone.
  @Test
  void g7ATaskDoesNotStayInMemoryForAWorkerThatNeverReportsIt() {
    RigWorker stuck = RigWorker.open(rig, 3);
    enqueue(Task.of("late").deadline(1));
    rig.pass(1_000 + RigOptions.GRACE);
    stuck.slots(0);
    assertThat(stuck.ids()).containsExactly("late", "late");
    rig.report(Status.COMPLETE, "late");
    assertThat(rig.store.rows()).isEmpty();
    WorkerStats seen = workers(1).getFirst();
    assertThat(seen.inUse()).as("slots").isEqualTo(2);
    assertThat(seen.tasks()).as("tasks").isEmpty();
    assertThat(stuck.complete(stuck.last()).statuses).containsExactly(ResultStatus.UNKNOWN);
    assertThat(workers(1).getFirst().inUse()).isEqualTo(1);
  }

  @Test
  void g7ATaskThatFailedAndRunsElsewhereLeavesItsWorker() {
    RigWorker first = RigWorker.open(rig, 1);
    enqueue(policy("a", RetryPolicy.newBuilder().setMaxAttempts(3)));
    rig.report(Status.RETRY, "a");
    RigWorker second = RigWorker.open(rig, 1);
    assertThat(second.ids()).containsExactly("a");
    assertThat(workers(2)).extracting(WorkerStats::tasks).containsExactly(List.of(), List.of("a"));
    assertThat(first.held).as("until it is reported").isEqualTo(1);
  }

  /// No token of a delivery of before is known: a worker could name the task under any.
  @Test
  void g7ATaskOfAnEarlierProcessIsOneAttemptOfItsWorker() {
    RigWorker before = RigWorker.open(rig, 1);
    enqueue(Task.of("a").deadline(100));
    rig.pass(RigOptions.STATUS_WRITE_INTERVAL);
    rig.crash();
    RigWorker again = RigWorker.open(rig, 1_000);
    for (int i = 1; i <= 100; i++) {
      rig.tell(
          new Command.WorkerHeartbeat(
              again, List.of(new Command.TaskHeartbeat("a", new AttemptToken(i, i)))));
    }
    again.heartbeat(before.last());
    assertThat(again.held).isEqualTo(1);
    RigWorker other = RigWorker.open(rig, 1_000);
    other.heartbeat(before.last());
    assertThat(again.held).isZero();
    assertThat(other.held).isEqualTo(1);
  }

  @Test
  void h16AHeartbeatDoesNotShortenTheTimeThatOtherWorkersHaveAfterAStart() {
    RigWorker before = RigWorker.open(rig, 1);
    enqueue(Task.of("a").deadline(1));
    rig.pass(RigOptions.STATUS_WRITE_INTERVAL);
    rig.crash();
    RigWorker stale = RigWorker.open(rig, 1);
    stale.heartbeat(before.last());
    RigWorker idle = RigWorker.open(rig, 1);
    rig.pass(Workers.COME_BACK_MS - 1_000);
    assertThat(idle.received).isEmpty();
    RigWorker real = RigWorker.open(rig, 1);
    assertThat(real.complete(before.last()).statuses).containsExactly(ResultStatus.ACCEPTED);
  }

  /// The worker that it was delivered to next may have begun it.
  @Test
  void g3ReleaseThatIsRepeatedAfterAStartDoesNotRunAnAtMostOnceTaskAgain() {
    RigWorker first = RigWorker.open(rig, 1);
    enqueue(Task.once("a"));
    Delivery released = first.last();
    first.slots(0);
    RigWorker second = RigWorker.open(rig, 1);
    assertThat(first.result(new Outcome.Released(), released).statuses)
        .containsExactly(ResultStatus.ACCEPTED);
    assertThat(second.ids()).containsExactly("a");
    rig.pass(RigOptions.STATUS_WRITE_INTERVAL);
    rig.crash();
    RigWorker again = RigWorker.open(rig, 1);
    assertThat(again.result(new Outcome.Released(), released).statuses)
        .containsExactly(ResultStatus.STALE);
    assertThat(again.received).isEmpty();
  }

  @Test
  void g3AtMostOnceTaskOfADeadWorkerFails() {
    RigWorker dead = RigWorker.open(rig, 1);
    enqueue(Task.once("a"));
    RigWorker other = RigWorker.open(rig, 1);
    dead.close(true);
    assertThat(other.received).isEmpty();
    assertThat(rig.store.rows()).isEmpty();
  }

  @Test
  void g3AtMostOnceTaskIsWrittenBeforeItIsDelivered() {
    RigWorker worker = RigWorker.open(rig, 1);
    rig.commits = false;
    enqueue(Task.once("a"));
    rig.commitAndSettle();
    assertThat(worker.received).isEmpty();
    rig.commitAndSettle();
    assertThat(worker.ids()).containsExactly("a");
  }

  @Test
  void releasedTaskIsDeliveredAgainAndNoAttemptIsCounted() {
    RigWorker leaving = RigWorker.open(rig, 1);
    enqueue(Task.of("a"), Task.of("b"));
    leaving.slots(0);
    RigWorker other = RigWorker.open(rig, 1);
    other.slots(2);
    assertThat(other.ids()).containsExactly("b");
    assertThat(leaving.result(new Outcome.Released(), leaving.last()).statuses)
        .containsExactly(ResultStatus.ACCEPTED);
    assertThat(other.ids()).containsExactly("b", "a");
    leaving.close(false);
    rig.pass(Workers.RECONNECT_MS);
    assertThat(other.ids()).containsExactly("b", "a");
  }

  @Test
  void g8ATaskThatKillsWorkersRunsAloneAndThenFails() {
    enqueue(Task.of("killer"), Task.of("b"), Task.of("c"));
    RigWorker first = RigWorker.open(rig, 3);
    first.close(true);
    RigWorker second = RigWorker.open(rig, 3);
    second.close(true);
    RigWorker third = RigWorker.open(rig, 3);
    assertThat(third.ids()).as("alone").containsExactly("killer");
    third.close(true);
    for (int i = 0; i < 10 && rig.store.row("killer").isPresent(); i++) {
      RigWorker next = RigWorker.open(rig, 3);
      if (next.ids().contains("killer")) {
        next.close(true);
      } else {
        next.complete(next.received.toArray(Delivery[]::new));
      }
    }
    assertThat(rig.store.row("killer")).isEmpty();
  }

  @Test
  void failedTaskIsRetriedInTheStoreWithoutKafka() {
    RigWorker worker = RigWorker.open(rig, 1);
    enqueue(policy("a", RetryPolicy.newBuilder().setMaxAttempts(3).setDelayMs(500)));
    rig.commits = false;
    RigWorker.Answer answer = worker.fail(worker.last());
    assertThat(answer.statuses).isEmpty();
    rig.commits = true;
    rig.settle();
    assertThat(answer.statuses).containsExactly(ResultStatus.ACCEPTED);
    assertThat(worker.fail(worker.last()).statuses).containsExactly(ResultStatus.STALE);
    assertThat(worker.complete(worker.last()).statuses).containsExactly(ResultStatus.STALE);
    rig.pass(500);
    assertThat(worker.received).hasSize(1);
    rig.pass(1);
    assertThat(worker.received).hasSize(2);
    rig.crash();
    worker = RigWorker.open(rig, 1);
    assertThat(worker.ids()).containsExactly("a");
    worker.fail(worker.last());
    rig.pass(501);
    worker.fail(worker.last());
    assertThat(rig.outbox).isEmpty();
    assertThat(rig.store.rows()).isEmpty();
    assertThat(worker.received).hasSize(2);
  }

  @Test
  void aCrashBeforeARetryIsDurableLeavesTheAttempt() {
    RigWorker worker = RigWorker.open(rig, 1);
    enqueue(policy("a", RetryPolicy.newBuilder().setMaxAttempts(2).setDelayMs(60_000)));
    rig.commits = false;
    worker.fail(worker.last());
    rig.commits = true;
    rig.crash();
    assertThat(rig.store.rows()).hasSize(1);
    assertThat(RigWorker.open(rig, 1).ids()).containsExactly("a");
  }

  /// A report without a token asked for the retry, while the worker of the stream completed the
  /// task.
  @Test
  void g2WhatARetryOverrulesIsAnsweredWhenTheRetryIsDurable() {
    RigWorker worker = RigWorker.open(rig, 1);
    enqueue(policy("a", RetryPolicy.newBuilder().setMaxAttempts(2).setDelayMs(60_000)));
    rig.commits = false;
    RigReply retry = rig.report(Status.RETRY, "a");
    RigReply again = rig.report(Status.RETRY, "a");
    RigWorker.Answer overruled = worker.complete(worker.last());
    assertThat(retry.isAnswered()).isFalse();
    assertThat(again.isAnswered()).isFalse();
    assertThat(overruled.statuses).isEmpty();
    rig.commitAndSettle();
    assertThat(retry.isAnswered()).isTrue();
    assertThat(again.isAnswered()).isTrue();
    assertThat(overruled.statuses).containsExactly(ResultStatus.STALE);
  }

  /// The next attempt that the retry made has ended, too, but not durably.
  @Test
  void g2WhatACompletionOverrulesIsAnsweredWhenItIsDurable() {
    RigWorker worker = RigWorker.open(rig, 1);
    enqueue(policy("a", RetryPolicy.newBuilder().setMaxAttempts(2).setDelayMs(60_000)));
    rig.commits = false;
    rig.report(Status.RETRY, "a");
    rig.report(Status.COMPLETE, "a");
    RigWorker.Answer overruled = worker.complete(worker.last());
    assertThat(overruled.statuses).isEmpty();
    rig.commitAndSettle();
    assertThat(overruled.statuses).containsExactly(ResultStatus.STALE);
  }

  @Test
  void failedTaskOfKafkaIsRetriedThroughKafka() {
    rig.assigned("tasks").send(Task.of("a"));
    RigWorker worker = RigWorker.open(rig, 1);
    var again = new Outcome.Failed("", false, 1_500, 3);
    assertThat(worker.result(again, worker.last()).statuses).containsExactly(ResultStatus.ACCEPTED);
    assertThat(rig.outbox).hasSize(1);
    assertThat(rig.outbox.getFirst().destination().topic()).isEqualTo(RigOptions.RETRY_TOPIC);
  }

  @Test
  void finalFailureMeetsTheFailurePolicy() {
    RigWorker worker = RigWorker.open(rig, 1);
    enqueue(Task.of("a").policy(FailurePolicy.DEAD_LETTER));
    worker.result(new Outcome.Failed("", true, -1, -1), worker.last());
    assertThat(rig.outboxIds()).containsExactly("a");
  }

  @Test
  void statusIsWrittenForARestart() {
    RigWorker worker = RigWorker.open(rig, 1);
    enqueue(Task.of("a").deadline(100));
    rig.pass(RigOptions.STATUS_WRITE_INTERVAL);
    Row row = rig.store.rows().getFirst();
    assertThat(row.status()).isEqualTo(Status.PROCESSING);
    assertThat(worker.received).hasSize(1);
  }

  private Activation policy(String id, RetryPolicy.Builder policy) {
    Activation plain = Task.of(id).at(Origin.enqueued(0), rig.wall);
    return plain.withPayload(
        io.taskbroker.protocol.v1.Task.newBuilder()
            .setId(id)
            .setRetry(policy)
            .build()
            .toByteArray());
  }

  private void enqueue(Task... tasks) {
    enqueue(
        List.of(tasks).stream()
            .map(task -> task.at(Origin.enqueued(0), rig.wall))
            .toArray(Activation[]::new));
  }

  private void enqueue(Activation... activations) {
    rig.tell(
        new Command.Enqueue(
            List.of(activations),
            new Command.EnqueueReply() {
              @Override
              public void done(List<EnqueueOutcome> outcomes) {
                assertThat(outcomes).containsOnly(EnqueueOutcome.ACCEPTED);
              }

              @Override
              public void unavailable(String why) {
                throw new AssertionError(why);
              }
            }));
    rig.settle();
  }
}
