package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.FailurePolicy;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.EnginesOnSharedStore.Log;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.inflight.api.PushOutcome;
import org.junit.jupiter.api.Test;

/// H3: a report to a broker without the activation is applied nevertheless, whenever it arrives.
final class H03RemoteReportTest {
  private final EnginesOnSharedStore peers =
      new EnginesOnSharedStore(RigOptions.push("app").maxDelayed(0));
  private final EngineOnSharedStore a = peers.peer("a");
  private final EngineOnSharedStore b = peers.peer("b");
  private final Log log = peers.log("tasks", 0);

  private void runs(Task task) {
    a.take(log);
    a.send(log, task);
    a.answer(PushOutcome.ACCEPTED);
  }

  @Test
  void h03ReportToTheWrongBrokerIsApplied() {
    runs(Task.of("x"));
    assertThat(b.report(Status.COMPLETE, "x").isAnswered()).isTrue();
    peers.settle();
    assertThat(peers.disk.rows()).isEmpty();
    assertThat(peers.disk.reports()).isEmpty();
  }

  @Test
  void h03RetryReportedToTheWrongBrokerIsProducedByTheOwner() {
    runs(Task.of("x"));
    b.report(Status.RETRY, "x");
    peers.settle();
    assertThat(b.outbox).isEmpty();
    assertThat(a.outbox).hasSize(1);
    assertThat(a.outbox.getFirst().destination().topic()).isEqualTo(RigOptions.RETRY_TOPIC);
  }

  @Test
  void h03AnswerWaitsForTheStore() {
    runs(Task.of("x"));
    b.commits = false;
    RigReply reply = b.report(Status.COMPLETE, "x");
    assertThat(reply.isAnswered()).isFalse();
    assertThat(b.engine().outstanding()).isOne();
    b.commit(1);
    assertThat(reply.isAnswered()).isTrue();
    assertThat(b.engine().outstanding()).isZero();
  }

  @Test
  void h14ReportsThatWaitForTheStoreTakeTheRoomOfRequests() {
    EnginesOnSharedStore small = new EnginesOnSharedStore(RigOptions.push("app").maxChanges(3));
    EngineOnSharedStore c = small.peer("c");
    c.commits = false;
    c.report(Status.COMPLETE, "1", "2", "3");
    assertThat(c.engine().hasRoom()).isFalse();
    c.commit(1);
    assertThat(c.engine().hasRoom()).isTrue();
  }

  @Test
  void h03UnknownIdIsNoError() {
    RigReply reply = b.report(Status.COMPLETE, "nobody's");
    assertThat(reply.isAnswered()).isTrue();
    assertThat(b.notices).containsExactly(EngineEvent.UNKNOWN_ID);
  }

  @Test
  void h03LocalAndRemoteReportsOfOneCallAreAnsweredWhenBothAreDurable() {
    runs(Task.of("x"));
    Log other = peers.log("tasks", 1);
    b.take(other);
    b.send(other, Task.of("y"));
    b.answer(PushOutcome.ACCEPTED);
    b.commits = false;
    RigReply reply = b.report(Status.COMPLETE, "x", "y");
    b.commit(1);
    assertThat(reply.isAnswered()).isTrue();
    peers.settle();
    assertThat(peers.disk.rows()).isEmpty();
  }

  @Test
  void h03OwnerChecksForRemoteReportsBeforeItActsOnADeadline() {
    runs(Task.of("x"));
    a.deaf = true;
    b.report(Status.COMPLETE, "x");
    peers.pass(20_000);
    assertThat(a.deliveredIds()).containsExactly("x");
    assertThat(peers.disk.rows()).isEmpty();
    assertThat(a.notices).doesNotContain(EngineEvent.DEADLINE_PASSED);
  }

  @Test
  void h03OwnerChecksForRemoteReportsBeforeItFailsAnAtMostOnceTask() {
    a.take(log);
    a.send(log, Task.once("x").policy(FailurePolicy.DEAD_LETTER));
    a.answer(PushOutcome.LOST);
    a.deaf = true;
    b.report(Status.COMPLETE, "x");
    peers.pass(RigOptions.LEASE + 1);
    assertThat(a.outbox).isEmpty();
    assertThat(peers.disk.rows()).isEmpty();
  }

  @Test
  void h03DeadlineCountsWhenTheStoreHasNoReport() {
    runs(Task.of("x"));
    a.commits = false;
    peers.pass(10_000 + RigOptions.GRACE);
    assertThat(a.deliveredIds()).containsExactly("x");
    a.commits = true;
    peers.settle();
    assertThat(a.deliveredIds()).containsExactly("x", "x");
    assertThat(a.notices).contains(EngineEvent.DEADLINE_PASSED);
  }

  @Test
  void h03ReportThatArrivesDuringTheQueryCounts() {
    runs(Task.of("x"));
    a.commits = false;
    peers.pass(10_000 + RigOptions.GRACE);
    RigReply reply = a.report(Status.COMPLETE, "x");
    a.commits = true;
    peers.settle();
    assertThat(reply.isAnswered()).isTrue();
    assertThat(a.deliveredIds()).containsExactly("x");
    assertThat(peers.disk.rows()).isEmpty();
  }

  @Test
  void h03ReportOnAnUnownedPartitionIsFoundByTheNextOwner() {
    runs(Task.of("x"));
    peers.pass(RigOptions.STATUS_WRITE_INTERVAL);
    a.crash();
    assertThat(b.report(Status.COMPLETE, "x").isAnswered()).isTrue();
    b.take(log);
    peers.pass(100_000);
    assertThat(b.deliveries).isEmpty();
    assertThat(peers.disk.rows()).isEmpty();
  }

  @Test
  void h03ReportDuringAnAcquisitionIsApplied() {
    runs(Task.of("x"));
    a.revokeAndRelease(log);
    b.take(log, () -> a.report(Status.COMPLETE, "x"));
    peers.pass(100_000);
    assertThat(b.deliveries).isEmpty();
    assertThat(peers.disk.rows()).isEmpty();
  }

  @Test
  void h03ReportToTheFormerOwnerIsApplied() {
    runs(Task.of("x"));
    a.revokeAndRelease(log);
    b.take(log);
    assertThat(a.report(Status.COMPLETE, "x").isAnswered()).isTrue();
    peers.settle();
    assertThat(peers.disk.rows()).isEmpty();
  }

  @Test
  void h03LateCompleteOfAParkedRowEndsIt() {
    a.take(log);
    a.send(log, Task.of("x").delayUntil(peers.wall + 60_000));
    assertThat(a.depths().parked()).isOne();
    b.report(Status.COMPLETE, "x");
    peers.settle();
    assertThat(a.depths().parked()).isZero();
    assertThat(peers.disk.rows()).isEmpty();
    peers.pass(100_000);
    assertThat(a.deliveries).isEmpty();
  }

  @Test
  void h18RecordedFailureOfATaskWithoutAWorkerIsStale() {
    a.take(log);
    a.worker = _ -> PushOutcome.UNREACHABLE;
    a.send(log, Task.of("x"));
    b.report(Status.FAILURE, "x");
    peers.settle();
    assertThat(a.notices).contains(EngineEvent.STALE_REPORT);
    assertThat(peers.row("x").orElseThrow().status()).isEqualTo(Status.PENDING);
  }
}
