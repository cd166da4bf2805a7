package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Status;
import io.taskbroker.inflight.EnginesOnSharedStore.Log;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.Delivery;
import io.taskbroker.inflight.api.OutboxRecord;
import io.taskbroker.inflight.api.PushOutcome;
import org.junit.jupiter.api.Test;

/// H10, H11: a broker that lost a partition unnoticed changes nothing of it any more; when it is
/// fenced, it evicts all tasks in flight of it.
final class H10FencedTest {
  private static final Depths NOTHING = new Depths(0, 0, 0, 0, 0, 0);

  private final EnginesOnSharedStore peers =
      new EnginesOnSharedStore(RigOptions.push("app", "other").maxDelayed(0));
  private final EngineOnSharedStore a = peers.peer("a");
  private final EngineOnSharedStore b = peers.peer("b");
  private final Log log = peers.log("tasks", 0);

  /// The partition moves to b, and a is not informed.
  private void takenOver() {
    a.expel(log);
    b.take(log);
  }

  @Test
  void h10ReportIsUnavailableWhenItsEffectIsFenced() {
    a.take(log);
    a.send(log, Task.of("x"));
    a.answer(PushOutcome.ACCEPTED);
    takenOver();
    RigReply reply = a.report(Status.COMPLETE, "x");
    assertThat(reply.isAnswered()).isFalse();
    assertThat(reply.unavailable).isNotNull();
    assertThat(peers.disk.rows()).hasSize(1);
    assertThat(a.depths()).isEqualTo(NOTHING);
    assertThat(a.lost).containsExactly(log.source);

    assertThat(a.report(Status.COMPLETE, "x").isAnswered()).isTrue();
    peers.settle();
    assertThat(peers.disk.rows()).isEmpty();
  }

  @Test
  void h10FencedForwardIsNotProduced() {
    a.take(log);
    a.send(log, Task.of("x"));
    a.answer(PushOutcome.ACCEPTED);
    takenOver();
    assertThat(a.report(Status.RETRY, "x").unavailable).isNotNull();
    assertThat(a.outbox).isEmpty();
  }

  @Test
  void h10QuarantinedRowOfAnotherBrokerIsNotReadRepeatedly() {
    a.take(log);
    a.send(log, Task.of("x").deadLetters());
    a.answer(PushOutcome.ACCEPTED);
    a.report(Status.FAILURE, "x");
    a.tell(new Command.ProduceRefused(a.outbox.removeFirst(), "too large"));
    a.settle();
    takenOver();
    peers.pass(Quarantine.PERIOD_MS); // fails if it does not become idle
    assertThat(a.outbox).isEmpty();
    assertThat(b.outbox).hasSize(1);
  }

  @Test
  void h10AcknowledgementOfAnEvictedTaskIsIgnored() {
    a.take(log);
    a.send(log, Task.of("x"), Task.of("y"));
    a.answer(a.calls.getFirst(), PushOutcome.ACCEPTED);
    a.answer(a.calls.getFirst(), PushOutcome.ACCEPTED);
    a.report(Status.RETRY, "x");
    OutboxRecord record = a.outbox.getFirst();
    takenOver();
    a.report(Status.COMPLETE, "y");
    a.acknowledge(record);
    a.settle();
    assertThat(a.depths()).isEqualTo(NOTHING);
    assertThat(peers.disk.rows()).hasSize(2);
    assertThat(b.outbox).hasSize(1);
  }

  @Test
  void h10AtMostOnceTaskIsNotDeliveredWhenItsStatusIsFenced() {
    a.take(log);
    a.commits = false;
    a.send(log, Task.once("x"));
    a.commit(2);
    takenOver();
    a.commit(10);
    assertThat(a.deliveries).isEmpty();
    assertThat(b.deliveredIds()).containsExactly("x");
  }

  @Test
  void h10PendingCallsEndProperly() {
    a.take(log);
    a.send(log, Task.of("x"), Task.of("y"));
    takenOver();
    Delivery x = a.calls.getFirst();
    a.report(Status.COMPLETE, "y");
    assertThat(a.depths()).isEqualTo(NOTHING);
    a.answer(x, PushOutcome.ACCEPTED);
    a.answer(a.calls.getFirst(), PushOutcome.UNREACHABLE);
    peers.pass(60_000);
    assertThat(a.deliveries).hasSize(2);
    assertThat(a.depths()).isEqualTo(NOTHING);

    // The window counts no call that has ended.
    Log other = peers.log("tasks", 1);
    a.take(other);
    a.send(other, Task.of("z"));
    assertThat(a.deliveredIds()).endsWith("z");
  }

  @Test
  void h10ParkedRowsOfALostPartitionAreEvicted() {
    a.take(log);
    a.send(log, Task.of("p").delayUntil(peers.wall + 5_000), Task.of("x"));
    takenOver();
    a.report(Status.COMPLETE, "x");
    a.answer(PushOutcome.ACCEPTED);
    assertThat(a.depths()).isEqualTo(NOTHING);
    peers.pass(10_000);
    assertThat(a.deliveredIds()).containsExactly("x");
    assertThat(b.deliveredIds()).contains("p");
  }

  @Test
  void h10FencedRecordsAreReadByTheNextOwner() {
    a.take(log);
    a.commits = false;
    a.send(log, Task.of("x"));
    takenOver();
    a.commit(10);
    assertThat(a.consumed(log)).isZero();
    assertThat(peers.disk.rows()).isEmpty();
    assertThat(a.depths()).isEqualTo(NOTHING);
    b.poll(log, 10);
    b.settle();
    assertThat(b.deliveredIds()).containsExactly("x");
    assertThat(a.deliveries).isEmpty();
  }

  @Test
  void h10OtherPartitionsOfTheSameTransactionGoOn() {
    Log other = peers.log("tasks", 1);
    a.take(log);
    a.take(other);
    a.commits = false;
    a.send(log, Task.of("x"));
    a.send(other, Task.of("y"));
    takenOver();
    a.commit(10);
    assertThat(a.deliveredIds()).containsExactly("y");
    assertThat(a.lost).containsExactly(log.source);
  }

  @Test
  void h11LostPartitionIsDrainedWhenTheOutcomeOfItsChangesIsKnown() {
    a.take(log);
    a.commits = false;
    a.send(log, Task.of("x"));
    takenOver();
    a.revoke(log, true);
    assertThat(a.depths()).isEqualTo(NOTHING);
    assertThat(a.undrained).contains(log.source);
    a.commit(10);
    assertThat(a.undrained).isEmpty();
  }

  @Test
  void h11PartitionLostInKafkaIsEvictedAtOnce() {
    a.take(log);
    a.commits = false;
    a.send(log, Task.of("x"), Task.of("p").delayUntil(peers.wall + 5_000));
    a.commit(10);
    a.answer(PushOutcome.ACCEPTED);
    RigReply reply = a.report(Status.COMPLETE, "x");
    a.revoke(log, true);
    assertThat(reply.unavailable).isNotNull();
    assertThat(a.depths()).isEqualTo(NOTHING);
    a.commit(10);
    assertThat(reply.isAnswered()).isFalse();
    assertThat(a.undrained).isEmpty();
    assertThat(a.lost).isEmpty();
  }

  @Test
  void h11PartitionThatReturnsIsLoadedAgain() {
    a.take(log);
    a.send(log, Task.of("x"));
    a.answer(PushOutcome.ACCEPTED);
    takenOver();
    a.report(Status.COMPLETE, "x");
    a.revoke(log, true);
    assertThat(a.undrained).isEmpty();
    b.revokeAndRelease(log);
    a.take(log);
    a.send(log, Task.of("y"));
    assertThat(a.consumed(log)).isEqualTo(2);
    assertThat(a.deliveredIds()).endsWith("y");
  }

  @Test
  void h11LateFenceOfTheLastCommitDoesNotAffectAReacquiredPartition() {
    a.take(log);
    a.send(log, Task.of("x"));
    a.revoke(log, false);
    a.answer(PushOutcome.ACCEPTED);
    a.commits = false;
    a.release(log);
    a.commit(10); // the offset commit, fenced
    a.commits = true;
    a.take(log);
    assertThat(a.depths().handedOut()).isOne();
    assertThat(a.lost).isEmpty();
  }

  @Test
  void h11NothingIsDeliveredAfterTheLease() {
    a.take(log);
    a.tell(new Command.LeaseRenewed(peers.now + 1_000));
    a.send(log, Task.of("x"));
    peers.pass(1_000);
    a.send(log, Task.of("y"), Task.once("z"));
    assertThat(a.claim().id()).isEmpty();
    assertThat(a.deliveredIds()).containsExactly("x");
    a.tell(new Command.LeaseRenewed(peers.now + 1_000));
    a.settle();
    assertThat(a.deliveredIds()).containsExactly("x", "y", "z");
  }

  /// The wall clock of a suspended machine went on, its monotonic clock did not.
  @Test
  void h11LeaseEndsByTheWallClockToo() {
    a.take(log);
    a.tell(new Command.LeaseRenewed(peers.now + 5_000, peers.wall + 5_000));
    a.send(log, Task.of("x"));
    peers.wall += 60_000;
    a.send(log, Task.of("y"));
    assertThat(a.deliveredIds()).containsExactly("x");
    a.tell(new Command.LeaseRenewed(peers.now + 5_000, peers.wall + 5_000));
    a.settle();
    assertThat(a.deliveredIds()).containsExactly("x", "y");
  }

  @Test
  void h11LostPartitionIsNotDelivered() {
    a.take(log);
    a.tell(new Command.LeaseRenewed(peers.now + 1_000));
    a.settle();
    peers.pass(1_000);
    a.send(log, Task.of("x"));
    a.tell(new Command.PartitionLost("tasks", 0));
    a.tell(new Command.LeaseRenewed(peers.now + 1_000));
    a.settle();
    assertThat(a.deliveries).isEmpty();
    assertThat(a.lost).hasSize(1);
    assertThat(a.depths()).isEqualTo(new Depths(0, 0, 0, 0, 0, 0));
  }

  @Test
  void h11TaskThatWaitsForItsStatusWhenTheLeaseEndsIsNotDelivered() {
    a.take(log);
    a.commits = false;
    a.send(log, Task.once("z"));
    a.tell(new Command.LeaseRenewed(peers.now + 1_000));
    a.commit(2);
    peers.pass(1_000);
    a.commits = true;
    a.settle();
    assertThat(a.deliveries).isEmpty();
    assertThat(peers.row("z").orElseThrow().status()).isEqualTo(Status.PENDING);
    a.tell(new Command.LeaseRenewed(Long.MAX_VALUE));
    a.settle();
    assertThat(a.deliveredIds()).containsExactly("z");
  }

  @Test
  void h02AtMostOnceTaskNeedsNoCommitInASharedStore() {
    a.take(log);
    a.send(log, Task.once("x"));
    assertThat(a.deliveredIds()).containsExactly("x");
    assertThat(log.committed).isNegative();
  }
}
