package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.EnginesOnSharedStore.Log;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.inflight.api.PushOutcome;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Two rows of one id, from two partitions of two brokers, meet in one broker: they run one after
/// the other, and none is lost (G1).
final class DuplicateIdQueueTest {
  private static final Depths NOTHING = new Depths(0, 0, 0, 0, 0, 0);

  private final EnginesOnSharedStore peers =
      new EnginesOnSharedStore(RigOptions.push("app").maxDelayed(1));
  private final EngineOnSharedStore a = peers.peer("a");
  private final EngineOnSharedStore b = peers.peer("b");
  private final Log one = peers.log("tasks", 0);
  private final Log two = peers.log("tasks", 1);

  @BeforeEach
  void take() {
    a.take(one);
    b.take(two);
  }

  private void meet() {
    a.revokeAndRelease(one);
    b.take(one);
  }

  @Test
  void secondRunsWhenTheFirstIsDone() {
    a.worker = _ -> PushOutcome.UNREACHABLE;
    b.worker = _ -> PushOutcome.ACCEPTED;
    a.send(one, Task.of("x"));
    b.send(two, Task.of("x"));
    meet();
    peers.pass(1_000);
    assertThat(b.deliveredIds()).containsExactly("x");
    b.report(Status.COMPLETE, "x");
    peers.pass(1_000);
    assertThat(b.deliveredIds()).containsExactly("x", "x");
    assertThat(peers.disk.rows()).hasSize(1);
    b.report(Status.COMPLETE, "x");
    assertThat(peers.disk.rows()).isEmpty();
    assertThat(b.depths()).isEqualTo(NOTHING);
  }

  @Test
  void secondThatRunsElsewhereKeepsItsDeadline() {
    a.send(one, Task.of("x"));
    a.answer(PushOutcome.ACCEPTED);
    b.send(two, Task.of("x"));
    b.answer(PushOutcome.ACCEPTED);
    meet();
    b.report(Status.COMPLETE, "x");
    assertThat(b.depths().handedOut()).isOne();
    b.report(Status.COMPLETE, "x");
    assertThat(peers.disk.rows()).isEmpty();
    assertThat(b.deliveries).hasSize(1);
  }

  @Test
  void secondThatMovesOnKeepsItsDeadline() {
    a.send(one, Task.of("x"));
    a.answer(PushOutcome.ACCEPTED);
    a.revokeAndRelease(one);
    Row before = peers.row("x").orElseThrow();
    b.send(two, Task.of("x"));
    b.take(one);
    b.revokeAndRelease(one);
    assertThat(peers.disk.rows())
        .filteredOn(row -> row.key() == before.key())
        .singleElement()
        .returns(before.processingDeadline(), Row::processingDeadline);
  }

  @Test
  void secondIsEvictedWithItsPartition() {
    a.send(one, Task.of("x"));
    b.send(two, Task.of("x"));
    a.answer(PushOutcome.ACCEPTED);
    b.answer(PushOutcome.ACCEPTED);
    meet();
    b.revokeAndRelease(one);
    assertThat(b.depths().handedOut()).isOne();
    b.report(Status.COMPLETE, "x");
    assertThat(b.depths()).isEqualTo(NOTHING);
    assertThat(peers.disk.rows()).hasSize(1);
  }

  @Test
  void secondRunsWhenThePartitionOfTheFirstIsReleased() {
    a.worker = _ -> PushOutcome.UNREACHABLE;
    a.send(one, Task.of("x"));
    b.send(two, Task.of("x"));
    b.answer(PushOutcome.ACCEPTED);
    meet();
    b.revokeAndRelease(two);
    peers.pass(1);
    assertThat(b.deliveredIds()).containsExactly("x", "x");
    a.worker = _ -> null;
    a.take(two);
    assertThat(a.depths().handedOut()).isOne();
  }

  @Test
  void secondIsCompletedByAReportThatNamesItsRow() {
    a.worker = _ -> PushOutcome.UNREACHABLE;
    a.send(one, Task.of("x"));
    b.send(two, Task.of("x"));
    meet();
    a.report(Status.COMPLETE, "x"); // recorded for both rows
    peers.settle();
    assertThat(peers.disk.rows()).isEmpty();
    assertThat(b.depths()).isEqualTo(NOTHING);
  }

  @Test
  void secondThatIsForwardedIsEvictedWithItsPartition() {
    a.worker = _ -> PushOutcome.UNREACHABLE;
    a.send(one, Task.of("x"));
    b.send(two, Task.of("x"));
    meet();
    b.commits = false;
    a.report(Status.COMPLETE, "x"); // recorded for both rows
    peers.settle();
    b.revoke(two, true);
    b.expel(one);
    a.take(one);
    b.revoke(one, true);
    b.commit(Integer.MAX_VALUE);
    assertThat(b.depths()).isEqualTo(NOTHING);
  }

  @Test
  void secondIsForwardedWhenTheFirstIsDone() {
    a.send(one, Task.of("x").deadLetters());
    a.answer(PushOutcome.ACCEPTED);
    a.report(Status.FAILURE, "x");
    b.send(two, Task.of("x"));
    b.answer(PushOutcome.ACCEPTED);
    meet();
    assertThat(b.outbox).isEmpty();
    b.report(Status.COMPLETE, "x");
    peers.settle();
    assertThat(b.outbox).hasSize(1);
  }

  @Test
  void quarantinedFirstIsRemoved() {
    b.send(two, Task.of("x").deadLetters());
    b.answer(PushOutcome.ACCEPTED);
    b.report(Status.FAILURE, "x");
    b.tell(new Command.ProduceRefused(b.outbox.removeFirst(), "too large"));
    b.settle();
    a.worker = _ -> PushOutcome.UNREACHABLE;
    a.send(one, Task.of("x"));
    meet();
    peers.pass(1);
    assertThat(b.deliveredIds()).containsExactly("x", "x");
  }

  @Test
  void firstThatBecomesQuarantinedIsRemoved() {
    b.send(two, Task.of("x").deadLetters());
    b.answer(PushOutcome.ACCEPTED);
    a.worker = _ -> PushOutcome.UNREACHABLE;
    a.send(one, Task.of("x"));
    meet();
    b.report(Status.FAILURE, "x");
    b.tell(new Command.ProduceRefused(b.outbox.removeFirst(), "too large"));
    b.settle();
    peers.pass(1);
    assertThat(b.deliveredIds()).containsExactly("x", "x");
  }

  @Test
  void parkedDuplicatesRunOneAfterTheOther() {
    long due = peers.wall + 5_000;
    a.send(one, Task.of("d").delayUntil(due), Task.of("x").delayUntil(due));
    b.send(two, Task.of("e").delayUntil(due), Task.of("x").delayUntil(due));
    b.worker = _ -> PushOutcome.ACCEPTED;
    meet();
    assertThat(b.depths().parked()).isEqualTo(2);
    peers.pass(5_000);
    assertThat(b.deliveredIds()).containsOnlyOnce("x");
    b.report(Status.COMPLETE, "x");
    peers.pass(1);
    assertThat(b.deliveredIds()).containsExactlyInAnyOrder("d", "e", "x", "x");
  }

  @Test
  void recordOfAWaitingIdIsADuplicate() {
    a.worker = _ -> PushOutcome.UNREACHABLE;
    a.send(one, Task.of("x"));
    b.send(two, Task.of("x"));
    meet();
    b.send(two, Task.of("x"));
    assertThat(b.notices).contains(EngineEvent.DUPLICATE);
    assertThat(peers.disk.rows()).hasSize(2);
  }
}
