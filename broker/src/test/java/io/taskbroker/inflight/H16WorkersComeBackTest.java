package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.api.Delivery;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.inflight.api.ResultStatus;
import org.junit.jupiter.api.Test;

/// H16 with worker streams: after a start, workers have time to come back and to name what they
/// have; what none names runs again, however late its deadline is.
final class H16WorkersComeBackTest {
  private static final Task LONG = Task.of("x").deadline(1_000);

  private final EngineRig rig = new EngineRig(RigOptions.pull().settle(1_000));
  private final RigPartition partition = rig.assigned("tasks");

  @Test
  void h16WhatNoWorkerNamesRunsAgain() {
    Delivery before = run(LONG);
    rig.crash();
    RigWorker other = RigWorker.open(rig, 1);
    rig.pass(Workers.COME_BACK_MS - 1);
    assertThat(other.received).isEmpty();
    rig.pass(1);
    assertThat(other.ids()).containsExactly("x");
    assertThat(other.last().token()).isGreaterThan(before.token());
    assertThat(rig.noticed(EngineEvent.WORKER_LOST)).containsExactly("x");
    assertThat(rig.store.row("x").orElseThrow().attempts()).isZero();
  }

  @Test
  void h16EachStartWaitsForWorkers() {
    run(LONG);
    for (int start = 0; start < 3; start++) {
      rig.crash();
      RigWorker other = RigWorker.open(rig, 1);
      rig.pass(Workers.COME_BACK_MS - 1);
      assertThat(other.received).isEmpty();
    }
  }

  @Test
  void h16AWorkerThatComesBackLateKeepsWhatItNames() {
    Delivery before = run(LONG, Task.of("y").deadline(1_000));
    rig.crash();
    RigWorker other = RigWorker.open(rig, 2);
    rig.pass(Workers.COME_BACK_MS - 1);
    RigWorker back = RigWorker.open(rig, 0);
    back.heartbeat(before);
    rig.pass(10_000);
    assertThat(other.ids()).as("without what it named").doesNotContain(before.id()).hasSize(1);
    assertThat(back.complete(before).statuses).containsExactly(ResultStatus.ACCEPTED);
    assertThat(rig.store.row(before.id())).isEmpty();
  }

  @Test
  void h16AWorkerKeepsATaskOverSeveralStarts() {
    Delivery before = run(Task.of("x").deadline(1));
    for (int start = 0; start < 5; start++) {
      rig.wall += 300_000;
      rig.crash();
      RigWorker back = RigWorker.open(rig, 1);
      back.heartbeat(before);
      rig.pass(3_000);
      back.heartbeat(before);
      assertThat(back.cancelled).isEmpty();
      assertThat(back.received).isEmpty();
    }
  }

  @Test
  void h16AWorkerKeepsWhatThePreviousProcessDidNotWrite() {
    partition.send(LONG);
    RigWorker worker = RigWorker.open(rig, 1);
    rig.crash();
    assertThat(rig.store.row("x").orElseThrow().status()).isEqualTo(Status.PENDING);
    RigWorker back = RigWorker.open(rig, 1);
    back.heartbeat(worker.last());
    RigWorker other = RigWorker.open(rig, 1);
    rig.pass(10_000);
    assertThat(back.cancelled).isEmpty();
    assertThat(other.received).isEmpty();
    Row row = rig.store.row("x").orElseThrow();
    assertThat(row.status()).isEqualTo(Status.PROCESSING);
    assertThat(row.processingDeadline()).isEqualTo(Row.NONE);
    assertThat(back.complete(worker.last()).statuses).containsExactly(ResultStatus.ACCEPTED);
  }

  @Test
  void h16AWorkerThatDiesAfterItCameBackIsLost() {
    Delivery before = run(LONG);
    rig.crash();
    rig.pass(Workers.COME_BACK_MS - 1);
    RigWorker back = RigWorker.open(rig, 1);
    back.heartbeat(before);
    RigWorker other = RigWorker.open(rig, 1);
    rig.pass(1);
    back.close(true);
    assertThat(other.ids()).containsExactly("x");
  }

  @Test
  void g3AtMostOnceTaskThatNoWorkerNamesFails() {
    run(Task.once("x").deadline(1_000).deadLetters());
    rig.crash();
    RigWorker other = RigWorker.open(rig, 1);
    rig.pass(Workers.COME_BACK_MS);
    assertThat(other.received).isEmpty();
    assertThat(rig.outboxIds()).containsExactly("x");
  }

  @Test
  void g3AtMostOnceTaskThatWasJustDeliveredIsKeptOrFails() {
    partition.send(Task.once("x").deadline(1_000).deadLetters());
    partition.send(Task.once("y").deadline(1_000).deadLetters());
    partition.commitOffset();
    rig.settle();
    RigWorker worker = RigWorker.open(rig, 2);
    assertThat(worker.ids()).containsExactly("x", "y");
    rig.crash();
    RigWorker back = RigWorker.open(rig, 2);
    back.heartbeat(worker.last());
    rig.pass(10_000);
    assertThat(rig.outboxIds()).containsExactly("x");
    assertThat(back.complete(worker.last()).statuses).containsExactly(ResultStatus.ACCEPTED);
    assertThat(rig.store.row("y")).isEmpty();
    assertThat(back.received).isEmpty();
  }

  /// The worker of each may have died of it, but nothing says so: the broker went at the same time.
  @Test
  void g8ARestartMakesNoTaskSuspect() {
    RigWorker slow = RigWorker.open(rig, 2);
    partition.send(Task.of("x").deadline(1), Task.of("y").deadline(1));
    slow.slots(0);
    rig.pass(1_000 + RigOptions.GRACE);
    run();
    rig.crash();
    RigWorker next = RigWorker.open(rig, 2);
    rig.pass(Workers.COME_BACK_MS);
    assertThat(next.ids()).containsExactlyInAnyOrder("x", "y");
  }

  /// The worker of an earlier delivery names the task first, and dies: the one that has it since is
  /// still awaited, and what it names later wins.
  @Test
  void h16TheLastDeliveryIsAwaitedWhateverAnEarlierOneNames() {
    RigWorker slow = RigWorker.open(rig, 1);
    partition.send(Task.of("x").deadline(1));
    rig.settle();
    Delivery first = slow.last();
    slow.slots(0);
    rig.pass(1_000 + RigOptions.GRACE);
    Delivery last = run();
    assertThat(last.token()).isGreaterThan(first.token());
    rig.crash();

    RigWorker other = RigWorker.open(rig, 1);
    RigWorker earlier = RigWorker.open(rig, 0);
    earlier.heartbeat(first);
    rig.pass(1_000);
    earlier.close(true);
    rig.pass(Workers.COME_BACK_MS - 1_001);
    assertThat(other.received).isEmpty();

    RigWorker again = RigWorker.open(rig, 0);
    again.heartbeat(first);
    RigWorker back = RigWorker.open(rig, 0);
    back.heartbeat(last);
    assertThat(again.cancelled).containsExactly("x");
    again.heartbeat(first);
    rig.pass(1);
    assertThat(other.received).isEmpty();
    assertThat(again.complete(first).statuses).containsExactly(ResultStatus.STALE);
    assertThat(back.complete(last).statuses).containsExactly(ResultStatus.ACCEPTED);
  }

  @Test
  void h16HeartbeatOfAnEarlierDeliveryDoesNotShortenTheGraceOfAPulledTask() {
    RigWorker slow = RigWorker.open(rig, 1);
    partition.send(Task.of("x").deadline(1));
    rig.settle();
    Delivery first = slow.last();
    slow.close(true);
    assertThat(rig.claim().id()).isEqualTo("x");
    rig.pass(RigOptions.STATUS_WRITE_INTERVAL);
    rig.crash();
    RigWorker earlier = RigWorker.open(rig, 0);
    earlier.heartbeat(first);
    rig.pass(RigOptions.RESTART_GRACE - 1);
    assertThat(rig.claim().id()).isEmpty();
    rig.pass(1);
    assertThat(rig.claim().id()).isEqualTo("x");
  }

  /// Lets a worker run tasks until that is written; returns its last delivery.
  private Delivery run(Task... tasks) {
    RigWorker worker = RigWorker.open(rig, 2);
    partition.send(tasks);
    partition.commitOffset();
    rig.settle();
    rig.pass(RigOptions.STATUS_WRITE_INTERVAL);
    Row row = rig.store.row(worker.last().id()).orElseThrow();
    assertThat(row.status()).isEqualTo(Status.PROCESSING);
    assertThat(row.processingDeadline()).isEqualTo(Row.NONE);
    return worker.last();
  }
}
