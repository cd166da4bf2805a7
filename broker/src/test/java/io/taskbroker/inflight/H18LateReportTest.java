package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Status;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.inflight.api.PushOutcome;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// H18: Complete wins until something else was produced; Failure and Retry count only from a worker
/// that has the activation.
final class H18LateReportTest {
  private final EngineRig rig = new EngineRig(RigOptions.pull());
  private final RigPartition partition = rig.assigned("tasks");

  @ParameterizedTest
  @EnumSource(names = {"FAILURE", "RETRY"})
  void h18CompleteWinsWhileTheForwardIsNotDurable(Status other) {
    running("x");
    rig.commits = false;
    RigReply first = rig.report(other, "x");
    RigReply second = rig.report(Status.COMPLETE, "x");
    rig.commits = true;
    rig.settle();
    assertThat(first.isAnswered()).isTrue();
    assertThat(second.isAnswered()).isTrue();
    assertThat(rig.outbox).isEmpty();
    assertThat(rig.store.rows()).isEmpty();
  }

  @Test
  void h18CompleteComesTooLateOnceItIsProduced() {
    running("x");
    rig.report(Status.RETRY, "x");
    assertThat(rig.outbox).hasSize(1);
    assertThat(rig.report(Status.COMPLETE, "x").isAnswered()).isTrue();
    assertThat(rig.noticed(EngineEvent.STALE_REPORT)).containsExactly("x");
    assertThat(rig.store.rows()).hasSize(1);
  }

  @ParameterizedTest
  @EnumSource(names = {"FAILURE", "RETRY"})
  void h18ReportOfAnEarlierDeliveryCountsWhileNoOtherWorkerHasIt(Status late) {
    partition.send(Task.of("x").deadLetters());
    assertThat(rig.claim().id()).isEqualTo("x");
    rig.pass(10_000 + RigOptions.GRACE);
    assertThat(rig.depths().pending()).isEqualTo(1);
    rig.commits = false;
    RigReply reply = rig.report(late, "x");
    assertThat(reply.isAnswered()).isFalse();
    rig.commits = true;
    rig.settle();
    assertThat(reply.isAnswered()).isTrue();
    assertThat(rig.claim().id()).isEmpty();
    assertThat(rig.outboxIds()).containsExactly("x");
    rig.report(Status.COMPLETE, "x");
    assertThat(rig.noticed(EngineEvent.STALE_REPORT)).containsExactly("x");
  }

  @ParameterizedTest
  @EnumSource(names = {"FAILURE", "RETRY"})
  void h18ReportOnAnUndeliveredTaskIsStale(Status status) {
    partition.send(Task.of("x").deadLetters(), Task.of("y").delayUntil(rig.wall + 1_000));
    assertThat(rig.report(status, "x", "y").isAnswered()).isTrue();
    assertThat(rig.noticed(EngineEvent.STALE_REPORT)).containsExactly("x", "y");
    assertThat(rig.outbox).isEmpty();
    assertThat(rig.claim().id()).isEqualTo("x");
    rig.pass(1_000);
    assertThat(rig.claim().id()).isEqualTo("y");
  }

  @Test
  void h18LateCompleteEndsARequeuedTask() {
    running("x");
    rig.pass(10_000 + RigOptions.GRACE);
    assertThat(rig.report(Status.COMPLETE, "x").isAnswered()).isTrue();
    assertThat(rig.claim().id()).isEmpty();
    assertThat(rig.store.rows()).isEmpty();
    assertThat(rig.depths()).isEqualTo(new Depths(0, 0, 0, 0, 0, 0));
  }

  @Test
  void h18LateCompleteEndsADelayedTask() {
    partition.send(Task.of("x").delayUntil(rig.wall + 1_000));
    rig.report(Status.COMPLETE, "x");
    rig.pass(2_000);
    assertThat(rig.claim().id()).isEmpty();
    assertThat(rig.store.rows()).isEmpty();
  }

  @Test
  void h18CompleteOvertakesItsOwnInsert() {
    rig.commits = false;
    partition.send(Task.of("x"));
    RigReply reply = rig.report(Status.COMPLETE, "x");
    rig.commits = true;
    rig.settle();
    assertThat(reply.isAnswered()).isTrue();
    assertThat(rig.claim().id()).isEmpty();
    assertThat(rig.store.rows()).isEmpty();
    assertThat(partition.consumed).isEqualTo(1);
  }

  @Test
  void h18RepeatedReportOnAForwardedRowWaitsForTheForward() {
    running("x");
    rig.commits = false;
    RigReply first = rig.report(Status.RETRY, "x");
    RigReply again = rig.report(Status.RETRY, "x");
    assertThat(again.isAnswered()).isFalse();
    rig.commitAndSettle();
    assertThat(first.answers).isEqualTo(1);
    assertThat(again.answers).isEqualTo(1);
    assertThat(rig.outbox).hasSize(1);
    assertThat(rig.report(Status.RETRY, "x").isAnswered()).isTrue();
    assertThat(rig.outbox).hasSize(1);
  }

  @Test
  void h18ReportThatOvertakesTheAnswerToThePushTakesEffect() {
    var pushed = new EngineRig(RigOptions.push("app"));
    pushed.assigned("tasks").send(Task.of("x"));
    assertThat(pushed.report(Status.RETRY, "x").isAnswered()).isTrue();
    assertThat(pushed.outbox).hasSize(1);
    pushed.answer(PushOutcome.ACCEPTED);
    pushed.pass(100_000);
    assertThat(pushed.deliveries).hasSize(1);
  }

  @Test
  void h18CompleteOfATaskThatWaitsForItsStatusTakesEffectAndReleasesTheWaitingWorker() {
    partition.send(Task.once("x"));
    partition.commitOffset();
    rig.settle();
    rig.commits = false;
    RigReply claim = rig.claim();
    RigReply report = rig.report(Status.COMPLETE, "x");
    assertThat(claim.isAnswered()).isTrue();
    assertThat(claim.id()).isEmpty();
    rig.commits = true;
    rig.settle();
    assertThat(report.isAnswered()).isTrue();
    assertThat(rig.deliveries).isEmpty();
    assertThat(rig.store.rows()).isEmpty();
  }

  private void running(String id) {
    partition.send(Task.of(id));
    assertThat(rig.claim().id()).isEqualTo(id);
  }
}
