package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Status;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.inflight.api.PushOutcome;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// G2 across a crash: claims are written lazily, so a worker may have a row that is pending on
/// disk. Its report takes effect, whatever its status.
final class G2RestartTest {
  private static final long SETTLE = 2_000;

  private final EngineRig rig = new EngineRig(RigOptions.pull().settle(SETTLE));
  private final RigPartition partition = rig.assigned("tasks");

  @BeforeEach
  void acknowledgeProducedRecords() {
    rig.produces = true;
  }

  @ParameterizedTest
  @EnumSource(names = {"COMPLETE", "FAILURE", "RETRY"})
  void g2ReportOnATaskOfThePreviousProcessTakesEffect(Status status) {
    partition.send(Task.of("x").deadLetters());
    assertThat(rig.claim().id()).isEqualTo("x");
    rig.crash();
    assertThat(rig.store.row("x").orElseThrow().status()).isEqualTo(Status.PENDING);
    assertReported(status);
  }

  @ParameterizedTest
  @EnumSource(names = {"COMPLETE", "FAILURE", "RETRY"})
  void g2ReportOnATaskPushedByThePreviousProcessTakesEffect(Status status) {
    var pushing = new EngineRig(RigOptions.push("app").settle(SETTLE));
    pushing.assigned("tasks").send(Task.of("x").deadLetters());
    pushing.settle();
    assertThat(pushing.calls).hasSize(1);
    pushing.crash();
    assertThat(pushing.report(status, "x").isAnswered()).isTrue();
    pushing.pass(10 * SETTLE);
    assertThat(pushing.deliveredIds()).containsExactly("x");
    assertThat(pushing.outboxIds()).hasSize(status == Status.COMPLETE ? 0 : 1);
  }

  /// The deadline of the earlier process passes in the next one.
  @ParameterizedTest
  @EnumSource(names = {"FAILURE", "RETRY"})
  void g2ReportAfterTheDeadlineOfThePreviousProcessTakesEffect(Status status) {
    partition.send(Task.of("x").deadLetters());
    assertThat(rig.claim().id()).isEqualTo("x");
    rig.pass(RigOptions.STATUS_WRITE_INTERVAL);
    assertThat(rig.store.row("x").orElseThrow().status()).isEqualTo(Status.PROCESSING);
    rig.crash();
    rig.pass(1_000_000);
    assertThat(rig.store.row("x").orElseThrow().status()).isEqualTo(Status.PENDING);
    assertReported(status);
  }

  /// The end of a delay is not written to the row.
  @ParameterizedTest
  @EnumSource(names = {"COMPLETE", "FAILURE", "RETRY"})
  void g2ReportOfATaskWhoseDelayHadEndedTakesEffect(Status status) {
    partition.send(Task.of("x").deadLetters().delayUntil(rig.wall + 1_000));
    rig.pass(1_000);
    assertThat(rig.claim().id()).isEqualTo("x");
    rig.crash();
    assertThat(rig.store.row("x").orElseThrow().status()).isEqualTo(Status.DELAY);
    assertReported(status);
  }

  @Test
  void g2TaskWhoseDelayHadEndedRunsAfterItsReportHadTimeToArrive() {
    partition.send(Task.of("x").delayUntil(rig.wall + 1_000));
    rig.pass(1_000);
    rig.crash();
    assertThat(rig.claim().id()).isEmpty();
    rig.pass(SETTLE);
    assertThat(rig.claim().id()).isEqualTo("x");
  }

  @ParameterizedTest
  @EnumSource(names = {"FAILURE", "RETRY"})
  void g2ReportArrivesWhileTheTaskWaitsForRedelivery(Status status) {
    partition.send(Task.of("x").deadLetters());
    assertThat(rig.claim().id()).isEqualTo("x");
    rig.crash();
    rig.pass(SETTLE);
    assertThat(rig.depths().pending()).isOne();
    assertReported(status);
  }

  /// An unparked row stays parked on disk until its next status update, or its end.
  @ParameterizedTest
  @EnumSource(names = {"COMPLETE", "FAILURE", "RETRY"})
  void g2ReportOnAParkedRowUnparkedByThePreviousProcessTakesEffect(Status status) {
    EngineRig small = withParkedRow();
    assertThat(small.claim().id()).isEqualTo("a");
    small.report(Status.COMPLETE, "a");
    assertThat(small.claim("app", null).id()).isEqualTo("x");
    small.crash();
    assertThat(small.store.row("x").orElseThrow().parkedUntil()).isNotNegative();
    RigReply reply = small.report(status, "x");
    assertThat(reply.answers).isEqualTo(1);
    small.pass(10 * SETTLE);
    assertThat(small.claim("app", null).id()).isEmpty();
    assertThat(small.deliveredIds()).containsExactly("a", "x");
    assertThat(small.outboxIds()).hasSize(status == Status.COMPLETE ? 0 : 1);
    assertThat(small.noticed(EngineEvent.STALE_REPORT)).isEmpty();
    assertThat(small.engine().outstanding()).isZero();
  }

  /// Another row of its application fills the memory, so that it is not unparked by itself.
  @ParameterizedTest
  @EnumSource(names = {"FAILURE", "RETRY"})
  void g2ReportOfAParkedRowIsAnsweredWhenItsEffectIsDurable(Status status) {
    EngineRig small = withParkedRow();
    small.crash();
    assertThat(small.depths().parked()).isOne();
    small.commits = false;
    RigReply reply = small.report(status, "x", "x");
    small.commit(1); // reads the row
    assertThat(reply.isAnswered()).isFalse();
    small.commit(1);
    assertThat(reply.answers).isEqualTo(1);
    assertThat(small.outboxIds()).containsExactly("x");
  }

  @ParameterizedTest
  @EnumSource(names = {"FAILURE", "RETRY"})
  void g2ReportOnARowParkedByThisProcessIsStale(Status status) {
    EngineRig small = withParkedRow();
    assertThat(small.report(status, "x").isAnswered()).isTrue();
    assertThat(small.noticed(EngineEvent.STALE_REPORT)).containsExactly("x");
  }

  /// Its delay had ended by the clock of the previous process, which was set back since.
  @ParameterizedTest
  @EnumSource(names = {"COMPLETE", "FAILURE", "RETRY"})
  void g2ReportOnATaskWhoseDelayRestartedTakesEffect(Status status) {
    partition.send(Task.of("x").deadLetters().delayUntil(rig.wall + 10_000));
    rig.settle();
    rig.stepClock(10_000);
    assertThat(rig.claim().id()).isEqualTo("x");
    rig.stepClock(-10_000);
    rig.crash();
    assertReported(status);
  }

  @ParameterizedTest
  @EnumSource(names = {"COMPLETE", "FAILURE", "RETRY"})
  void g2ReportOnAParkedRowWhoseDelayRestartedTakesEffect(Status status) {
    partition.send(Task.of("x").deadLetters().delayUntil(rig.wall + 2 * RigOptions.PARK_HORIZON));
    rig.settle();
    rig.stepClock(2 * RigOptions.PARK_HORIZON);
    assertThat(rig.claim().id()).isEqualTo("x");
    rig.stepClock(-2 * RigOptions.PARK_HORIZON);
    rig.crash();
    assertThat(rig.depths().parked()).isOne();
    assertReported(status);
  }

  /// The status of an at-most-once task is on disk before its delivery.
  @ParameterizedTest
  @EnumSource(names = {"FAILURE", "RETRY"})
  void g3ReportOnAParkedAtMostOnceRowThatIsPendingIsStale(Status status) {
    partition.send(Task.once("x").delayUntil(rig.wall + 2 * RigOptions.PARK_HORIZON));
    rig.settle();
    rig.crash();
    assertThat(rig.report(status, "x").answers).isEqualTo(1);
    assertThat(rig.noticed(EngineEvent.STALE_REPORT)).containsExactly("x");
    assertThat(rig.depths().parked()).isOne();
    assertThat(rig.engine().outstanding()).isZero();
  }

  @ParameterizedTest
  @EnumSource(names = {"FAILURE", "RETRY"})
  void g2ReportOnADelayedTaskAcceptedByThisProcessIsStale(Status status) {
    partition.send(Task.of("x").deadLetters().delayUntil(rig.wall + 10_000));
    rig.settle();
    assertThat(rig.report(status, "x").isAnswered()).isTrue();
    assertThat(rig.noticed(EngineEvent.STALE_REPORT)).containsExactly("x");
    assertThat(rig.produced).isEmpty();
  }

  @Test
  void g2ParkedRowIsNotDeliveredBeforeItsReportHadTimeToArrive() {
    EngineRig small = withParkedRow();
    small.report(Status.COMPLETE, "a");
    assertThat(small.depths().parked()).isZero();
    small.crash();
    small.pass(SETTLE - 1);
    assertThat(small.claim("app", null).id()).isEmpty();
    small.pass(1);
    assertThat(small.claim("app", null).id()).isEqualTo("x");
  }

  @ParameterizedTest
  @EnumSource(names = {"FAILURE", "RETRY"})
  void g2ReportToAnotherBrokerOfAParkedRowTakesEffect(Status status) {
    var peers = new EnginesOnSharedStore(RigOptions.push("app").maxDelayed(0).settle(SETTLE));
    EngineOnSharedStore a = peers.peer("a");
    EngineOnSharedStore b = peers.peer("b");
    EngineOnSharedStore c = peers.peer("c");
    EnginesOnSharedStore.Log log = peers.log("tasks", 0);
    a.take(log);
    a.send(log, Task.of("x").deadLetters().delayUntil(peers.wall + 2_000));
    peers.pass(2_000);
    assertThat(a.deliveredIds()).containsExactly("x");
    a.crash();
    b.take(log, () -> assertThat(c.report(status, "x").isAnswered()).isTrue());
    peers.pass(10 * SETTLE);
    assertThat(b.deliveries).isEmpty();
    assertThat(b.outbox).hasSize(1);
  }

  /// The row "a" fills the memory, so that "x" is parked behind it, and "b" of another application
  /// behind that.
  private EngineRig withParkedRow() {
    var small = new EngineRig(RigOptions.pull().maxPending(1).settle(SETTLE));
    small
        .assigned("tasks")
        .send(Task.of("a"), Task.of("x").deadLetters(), Task.of("b").application("other"));
    small.settle();
    assertThat(small.depths().parked()).isOne();
    return small;
  }

  @ParameterizedTest
  @EnumSource(names = {"FAILURE", "RETRY"})
  void g2ReportOfACallWhoseAnswerWasLostTakesEffect(Status status) {
    var pushing = new EngineRig(RigOptions.push("app"));
    pushing.assigned("tasks").send(Task.of("x").deadLetters());
    pushing.settle();
    pushing.answer(PushOutcome.LOST);
    assertThat(pushing.depths().pending()).isOne();
    assertThat(pushing.report(status, "x").isAnswered()).isTrue();
    pushing.pass(10_000);
    assertThat(pushing.deliveredIds()).containsExactly("x");
    assertThat(pushing.outboxIds()).containsExactly("x");
  }

  @ParameterizedTest
  @EnumSource(names = {"FAILURE", "RETRY"})
  void g2ReportToAnotherBrokerOnATaskOfThePreviousProcessTakesEffect(Status status) {
    var peers = new EnginesOnSharedStore(RigOptions.push("app").settle(SETTLE));
    EngineOnSharedStore a = peers.peer("a");
    EngineOnSharedStore b = peers.peer("b");
    EngineOnSharedStore c = peers.peer("c");
    EnginesOnSharedStore.Log log = peers.log("tasks", 0);
    a.take(log);
    a.send(log, Task.of("x").deadLetters());
    assertThat(a.deliveredIds()).containsExactly("x");
    a.crash();
    b.take(log);
    RigReply reply = c.report(status, "x");
    peers.settle();
    assertThat(reply.isAnswered()).isTrue();
    peers.pass(10 * SETTLE);
    assertThat(b.deliveries).isEmpty();
    assertThat(b.outbox).hasSize(1);
  }

  @ParameterizedTest
  @EnumSource(names = {"FAILURE", "RETRY"})
  void g3ReportOnAnAtMostOnceTaskThatIsPendingIsStale(Status status) {
    partition.send(Task.once("x").deadLetters());
    partition.commitOffset();
    rig.settle();
    rig.crash();
    assertThat(rig.report(status, "x").isAnswered()).isTrue();
    assertThat(rig.noticed(EngineEvent.STALE_REPORT)).containsExactly("x");
    rig.pass(SETTLE);
    assertThat(rig.claim().id()).isEqualTo("x");
  }

  private void assertReported(Status status) {
    rig.commits = false;
    RigReply reply = rig.report(status, "x");
    assertThat(reply.isAnswered()).isFalse();
    rig.commits = true;
    rig.settle();
    assertThat(reply.isAnswered()).isTrue();
    rig.pass(10 * SETTLE);
    assertThat(rig.claim().id()).isEmpty();
    assertThat(rig.deliveredIds()).containsExactly("x");
    assertThat(rig.store.rows()).isEmpty();
    assertThat(rig.produced).hasSize(status == Status.COMPLETE ? 0 : 1);
    assertThat(rig.noticed(EngineEvent.STALE_REPORT)).isEmpty();
  }
}
