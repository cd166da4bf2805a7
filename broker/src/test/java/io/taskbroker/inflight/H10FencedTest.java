package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Status;
import io.taskbroker.inflight.EnginesOnSharedStore.Log;
import org.junit.jupiter.api.Test;

/// H10, H11: a broker that lost a partition, and does not know, changes nothing of it any more;
/// when it learns of it by being fenced, it drops everything that is in flight of it.
final class H10FencedTest {
  private static final Engine.Depths NOTHING = new Engine.Depths(0, 0, 0, 0, 0, 0);

  private final EnginesOnSharedStore peers =
      new EnginesOnSharedStore(RigOptions.push("app", "other").maxDelayed(0));
  private final EngineOnSharedStore a = peers.peer("a");
  private final EngineOnSharedStore b = peers.peer("b");
  private final Log log = peers.log("tasks", 0);

  /// The partition becomes b's, and a does not know.
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
  void h10NothingThatIsFencedIsProduced() {
    a.take(log);
    a.send(log, Task.of("x"));
    a.answer(PushOutcome.ACCEPTED);
    takenOver();
    assertThat(a.report(Status.RETRY, "x").unavailable).isNotNull();
    assertThat(a.departing).isEmpty();
  }

  @Test
  void h10WhatCannotBeProducedIsNotReadAgainAndAgainWhenItIsAnotherBrokers() {
    a.take(log);
    a.send(log, Task.of("x").deadLetters());
    a.answer(PushOutcome.ACCEPTED);
    a.report(Status.FAILURE, "x");
    a.tell(new Command.ProduceRefused(a.departing.removeFirst(), "too large"));
    a.settle();
    takenOver();
    peers.pass(Quarantine.PERIOD_MS); // it comes to rest, or this fails
    assertThat(a.departing).isEmpty();
    assertThat(b.departing).hasSize(1);
  }

  @Test
  void h10AcknowledgementOfWhatTheOutboxHadIsIgnored() {
    a.take(log);
    a.send(log, Task.of("x"), Task.of("y"));
    a.answer(a.calls.getFirst(), PushOutcome.ACCEPTED);
    a.answer(a.calls.getFirst(), PushOutcome.ACCEPTED);
    a.report(Status.RETRY, "x");
    OutboxRecord record = a.departing.getFirst();
    takenOver();
    a.report(Status.COMPLETE, "y");
    a.acknowledge(record);
    a.settle();
    assertThat(a.depths()).isEqualTo(NOTHING);
    assertThat(peers.disk.rows()).hasSize(2);
    assertThat(b.departing).hasSize(1);
  }

  @Test
  void h10WhatMayRunOnceIsNotHandedOutWhenItsMarkIsFenced() {
    a.take(log);
    a.commits = false;
    a.send(log, Task.once("x"));
    a.commit(2);
    takenOver();
    a.commit(10);
    assertThat(a.handedOut).isEmpty();
    assertThat(b.handedOutIds()).containsExactly("x");
  }

  @Test
  void h10CallsUnderWayEndProperly() {
    a.take(log);
    a.send(log, Task.of("x"), Task.of("y"));
    takenOver();
    Delivery x = a.calls.getFirst();
    a.report(Status.COMPLETE, "y");
    assertThat(a.depths()).isEqualTo(NOTHING);
    a.answer(x, PushOutcome.ACCEPTED);
    a.answer(a.calls.getFirst(), PushOutcome.UNREACHABLE);
    peers.pass(60_000);
    assertThat(a.handedOut).hasSize(2);
    assertThat(a.depths()).isEqualTo(NOTHING);

    // The window counts no call that is over.
    Log other = peers.log("tasks", 1);
    a.take(other);
    a.send(other, Task.of("z"));
    assertThat(a.handedOutIds()).endsWith("z");
  }

  @Test
  void h10ParkedRowsOfALostPartitionAreForgotten() {
    a.take(log);
    a.send(log, Task.of("p").delayUntil(peers.wall + 5_000), Task.of("x"));
    takenOver();
    a.report(Status.COMPLETE, "x");
    a.answer(PushOutcome.ACCEPTED);
    assertThat(a.depths()).isEqualTo(NOTHING);
    peers.pass(10_000);
    assertThat(a.handedOutIds()).containsExactly("x");
    assertThat(b.handedOutIds()).contains("p");
  }

  @Test
  void h10RecordsThatAreFencedAreReadByTheNextOwner() {
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
    assertThat(b.handedOutIds()).containsExactly("x");
    assertThat(a.handedOut).isEmpty();
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
    assertThat(a.handedOutIds()).containsExactly("y");
    assertThat(a.lost).containsExactly(log.source);
  }

  @Test
  void h11LostPartitionIsDrainedWhenTheFateOfItsChangesIsKnown() {
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
  void h11LostByKafkaIsShedAtOnce() {
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
  void h11PartitionThatComesBackIsTakenAnew() {
    a.take(log);
    a.send(log, Task.of("x"));
    a.answer(PushOutcome.ACCEPTED);
    takenOver();
    a.report(Status.COMPLETE, "x");
    a.revoke(log, true);
    assertThat(a.undrained).isEmpty();
    b.giveUp(log);
    a.take(log);
    a.send(log, Task.of("y"));
    assertThat(a.consumed(log)).isEqualTo(2);
    assertThat(a.handedOutIds()).endsWith("y");
  }

  @Test
  void h11LateFenceOfTheLastCommitDoesNotTouchWhatIsTakenAgain() {
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
  void h11NothingIsHandedOutAfterTheLease() {
    a.take(log);
    a.tell(new Command.LeaseRenewed(peers.now + 1_000));
    a.send(log, Task.of("x"));
    peers.pass(1_000);
    a.send(log, Task.of("y"), Task.once("z"));
    assertThat(a.claim().id()).isEmpty();
    assertThat(a.handedOutIds()).containsExactly("x");
    a.tell(new Command.LeaseRenewed(peers.now + 1_000));
    a.settle();
    assertThat(a.handedOutIds()).containsExactly("x", "y", "z");
  }

  /// A machine that was suspended has a wall clock that went on, and a monotonic one that did not.
  @Test
  void h11LeaseEndsByTheWallClockToo() {
    a.take(log);
    a.tell(new Command.LeaseRenewed(peers.now + 5_000, peers.wall + 5_000));
    a.send(log, Task.of("x"));
    peers.wall += 60_000;
    a.send(log, Task.of("y"));
    assertThat(a.handedOutIds()).containsExactly("x");
    a.tell(new Command.LeaseRenewed(peers.now + 5_000, peers.wall + 5_000));
    a.settle();
    assertThat(a.handedOutIds()).containsExactly("x", "y");
  }

  @Test
  void h11WhatTheStoreSaysIsLostIsNotHandedOut() {
    a.take(log);
    a.tell(new Command.LeaseRenewed(peers.now + 1_000));
    a.settle();
    peers.pass(1_000);
    a.send(log, Task.of("x"));
    a.tell(new Command.PartitionLost("tasks", 0));
    a.tell(new Command.LeaseRenewed(peers.now + 1_000));
    a.settle();
    assertThat(a.handedOut).isEmpty();
    assertThat(a.lost).hasSize(1);
    assertThat(a.depths()).isEqualTo(new Engine.Depths(0, 0, 0, 0, 0, 0));
  }

  @Test
  void h11WhatWaitsForItsMarkWhenTheLeaseEndsIsNotHandedOut() {
    a.take(log);
    a.commits = false;
    a.send(log, Task.once("z"));
    a.tell(new Command.LeaseRenewed(peers.now + 1_000));
    a.commit(2);
    peers.pass(1_000);
    a.commits = true;
    a.settle();
    assertThat(a.handedOut).isEmpty();
    assertThat(peers.row("z").orElseThrow().status()).isEqualTo(Status.PENDING);
    a.tell(new Command.LeaseRenewed(Long.MAX_VALUE));
    a.settle();
    assertThat(a.handedOutIds()).containsExactly("z");
  }

  @Test
  void h02WhatMayRunOnceNeedsNoCommitInASharedStore() {
    a.take(log);
    a.send(log, Task.once("x"));
    assertThat(a.handedOutIds()).containsExactly("x");
    assertThat(log.committed).isNegative();
  }
}
