package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.EngineEvent;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// H2: an at-most-once task is delivered after its insert is durable, then its offset is known to
/// be committed, then the confirmation of that and its status are durable. An ambiguous case counts
/// as delivered.
final class H02OffsetCommitGateTest {
  private static final long DELAY = 5_000;
  private static final long FAR = RigOptions.PARK_HORIZON + 60_000;

  private final EngineRig rig = new EngineRig(RigOptions.push("app"));
  private final RigPartition partition = rig.assigned("tasks");

  @Test
  void h02EachStepWaitsForTheOneBefore() {
    rig.commits = false;
    partition.send(Task.once("x"));
    rig.settle();
    assertThat(rig.store.uncommitted()).hasSize(2);

    rig.commitAndSettle();
    assertThat(partition.consumed).isEqualTo(1);
    assertThat(partition.urgent).isTrue();
    assertThat(rig.store.uncommitted()).isEmpty();

    partition.commitOffset();
    rig.settle();
    assertThat(rig.store.uncommitted()).last().isInstanceOf(Change.ConfirmOffset.class);
    assertThat(rig.deliveries).isEmpty();

    rig.commitAndSettle();
    assertThat(rig.store.uncommitted()).singleElement().isInstanceOf(Change.UpdateStatus.class);
    assertThat(rig.deliveries).isEmpty();

    rig.onDelivery =
        () -> assertThat(rig.store.row("x").orElseThrow().status().isHandedOut()).isTrue();
    rig.commitAndSettle();
    assertThat(rig.deliveredIds()).containsExactly("x");
    Row row = rig.store.row("x").orElseThrow();
    assertThat(row.committed()).isTrue();
    assertThat(row.status()).isEqualTo(Status.CLAIMED);
  }

  @Test
  void h02PullWaitsForTheStatusToo() {
    var pulled = new EngineRig(RigOptions.pull());
    RigPartition from = pulled.assigned("tasks");
    from.send(Task.once("x"));
    pulled.settle();
    assertThat(pulled.claim().id()).isEmpty();

    from.commitOffset();
    pulled.settle();
    pulled.commits = false;
    RigReply claim = pulled.claim();
    assertThat(claim.isAnswered()).isFalse();

    pulled.commitAndSettle();
    assertThat(claim.id()).isEqualTo("x");
    assertThat(pulled.store.row("x").orElseThrow().status()).isEqualTo(Status.PROCESSING);
  }

  @Test
  void h02CommitBelowTheRecordConfirmsNothing() {
    partition.send(Task.of("first"));
    rig.settle();
    partition.send(Task.once("x"));
    rig.settle();
    rig.tell(new Command.OffsetCommitted(partition.source, 1));
    rig.settle();
    assertThat(rig.deliveredIds()).containsExactly("first");
  }

  @Test
  void h02CrashBeforeTheCommitRunsItOnce() {
    partition.send(Task.once("x"));
    rig.settle();

    rig.crash();
    assertThat(rig.deliveries).isEmpty();
    partition.assign();
    partition.poll(100);
    rig.settle();
    assertThat(rig.deliveries).isEmpty();

    partition.send(Task.of("next"));
    rig.settle();
    partition.commitOffset();
    rig.settle();
    assertThat(rig.deliveredIds()).containsExactlyInAnyOrder("x", "next");
  }

  @Test
  void h02RecordLostByTheLogIsNotConfirmedAndBlocksNothing() {
    partition.send(Task.of("done"));
    partition.commitOffset();
    partition.send(Task.of("more"), Task.once("lost"), Task.once("letter").deadLetters());
    rig.settle();

    partition.cutOff(1);
    rig.settle();
    partition.send(Task.once("new"));
    partition.commitOffset();
    rig.settle();

    assertThat(rig.deliveredIds()).containsExactly("done", "more", "new");
    assertThat(rig.noticed(EngineEvent.DISCARDED)).containsExactly("lost");
    assertThat(rig.outboxIds()).containsExactly("letter");
  }

  @Test
  void h02RecordCommittedByAnotherMeetsTheFailurePolicy() {
    partition.send(Task.once("discard"), Task.once("letter").deadLetters());
    rig.settle();

    rig.crash();
    partition.committed = 2;
    partition.assign();
    rig.settle();

    assertThat(rig.deliveries).isEmpty();
    assertThat(rig.noticed(EngineEvent.DISCARDED)).containsExactly("discard");
    assertThat(rig.outboxIds()).containsExactly("letter");
  }

  @Test
  void h02CrashBetweenCommitAndConfirmationIsAmbiguous() {
    partition.send(Task.once("x"));
    rig.settle();
    partition.commitOffsetSilently();

    rig.crash();
    partition.assign();
    rig.settle();
    assertThat(rig.deliveries).isEmpty();
    assertThat(rig.store.rows()).isEmpty();
  }

  @Test
  void h02ConfirmedRowIsDeliveredAfterARestart() {
    partition.send(Task.once("x").delayUntil(rig.wall + DELAY));
    rig.settle();
    partition.commitOffset();
    rig.settle();

    rig.crash();
    rig.pass(DELAY);
    assertThat(rig.deliveredIds()).containsExactly("x");
  }

  @Test
  void h02DelayedRowIsConfirmedWhileItWaits() {
    partition.send(Task.once("x").delayUntil(rig.wall + DELAY));
    rig.settle();
    partition.commitOffset();
    rig.pass(DELAY - 1);
    assertThat(rig.deliveries).isEmpty();
    rig.pass(1);
    assertThat(rig.deliveredIds()).containsExactly("x");
  }

  @Test
  void h02DelayedRowWaitsForItsConfirmationAfterItsDelay() {
    partition.send(Task.once("x").delayUntil(rig.wall + DELAY));
    rig.pass(2 * DELAY);
    assertThat(rig.deliveries).isEmpty();
    partition.commitOffset();
    rig.settle();
    assertThat(rig.deliveredIds()).containsExactly("x");
  }

  @Test
  void h02ConfirmationOfADelayedRowIsNotMistakenForItsStatus() {
    rig.commits = false;
    partition.send(Task.once("x").delayUntil(rig.wall + DELAY));
    rig.settle();
    rig.commitAndSettle();
    partition.commitOffset();
    rig.settle();
    rig.pass(DELAY);
    assertThat(rig.store.uncommitted()).hasSize(3);

    rig.commit(2);
    assertThat(rig.deliveries).isEmpty();
    rig.commit(1);
    assertThat(rig.deliveredIds()).containsExactly("x");
  }

  @Test
  void h02ParkedRowIsConfirmedOnDisk() {
    partition.send(Task.once("x").delayUntil(rig.wall + FAR));
    rig.settle();
    assertThat(rig.depths().parked()).isEqualTo(1);
    partition.commitOffset();
    rig.settle();
    assertThat(rig.store.row("x").orElseThrow().committed()).isTrue();

    rig.crash();
    rig.pass(FAR);
    assertThat(rig.deliveredIds()).containsExactly("x");
  }

  @Test
  void h02UnconfirmedParkedRowIsNotDelivered() {
    partition.send(Task.once("x").delayUntil(rig.wall + FAR));
    rig.pass(FAR + 1);
    assertThat(rig.depths().parked()).isZero();
    assertThat(rig.deliveries).isEmpty();
    partition.commitOffset();
    rig.settle();
    assertThat(rig.deliveredIds()).containsExactly("x");
  }

  @Test
  void h02AmbiguousParkedRowMeetsItsPolicyWhenItIsUnparked() {
    partition.send(Task.once("x").delayUntil(rig.wall + FAR));
    rig.settle();
    partition.commitOffsetSilently();

    rig.crash();
    partition.assign();
    rig.pass(FAR + 1);
    assertThat(rig.deliveries).isEmpty();
    assertThat(rig.noticed(EngineEvent.DISCARDED)).containsExactly("x");
  }

  /// A commit of new records proves nothing about the lost one at the same offset.
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void h02ParkedRowWhoseRecordTheLogHasLostIsNotConfirmedByNewRecords(boolean crash) {
    partition.send(Task.once("x").delayUntil(rig.wall + FAR));
    rig.settle();
    if (crash) {
      rig.crash();
    }
    partition.cutOff(0);
    rig.settle();
    partition.send(Task.once("new"));
    partition.commitOffset();
    rig.pass(FAR + 1);
    assertThat(rig.deliveredIds()).containsExactly("new");
    assertThat(rig.noticed(EngineEvent.DISCARDED)).contains("x");
  }

  @Test
  void h02PageReadBeforeTheConfirmationDoesNotLoseIt() {
    partition.send(Task.once("x").delayUntil(rig.wall + FAR));
    rig.pass(FAR - ParkedBacklog.LEAD_MS - 1);
    rig.commits = false;
    rig.pass(1);
    var page = rig.store.commit(Integer.MAX_VALUE);
    assertThat(page).singleElement().isInstanceOf(Command.ParkedRead.class);
    partition.commitOffset();
    rig.settle();
    page.forEach(rig::tell);
    rig.settle();
    rig.commits = true;
    rig.pass(2 * FAR);
    assertThat(rig.deliveredIds()).containsExactly("x");
    assertThat(rig.store.missed).isEmpty();
  }

  @Test
  void h02PageReadBeforeTheConfirmationDoesNotLoseItWithPull() {
    var pulled = new EngineRig(RigOptions.pull());
    RigPartition from = pulled.assigned("tasks");
    from.send(Task.once("x").delayUntil(pulled.wall + FAR));
    pulled.pass(FAR - ParkedBacklog.LEAD_MS - 1);
    pulled.commits = false;
    pulled.stepClock(ParkedBacklog.LEAD_MS + 1);
    var page = pulled.store.commit(Integer.MAX_VALUE);
    from.commitOffset();
    pulled.settle();
    page.forEach(pulled::tell);
    pulled.settle();
    pulled.commits = true;
    pulled.pass(ParkedBacklog.LEAD_MS);
    assertThat(pulled.claim().id()).isEqualTo("x");
    assertThat(pulled.claim().id()).isEmpty();
  }

  @Test
  void h02LostPartitionIsResolvedWhenItReturns() {
    partition.send(Task.once("run"), Task.once("kept"));
    rig.settle();
    partition.revoke(true);
    rig.settle();

    partition.committed = 1;
    partition.assign();
    partition.poll(100);
    rig.settle();
    assertThat(rig.noticed(EngineEvent.DISCARDED)).containsExactly("run");
    partition.send(Task.of("next"));
    rig.settle();
    partition.commitOffset();
    rig.settle();
    assertThat(rig.deliveredIds()).containsExactlyInAnyOrder("kept", "next");
  }

  @Test
  void h02ReleasedPartitionIsResolvedWhenItReturns() {
    partition.send(Task.once("run"), Task.once("kept"));
    rig.settle();
    partition.revoke(false);
    rig.settle();
    assertThat(partition.drained).isTrue();

    // Another broker started at the committed offset, ran the first task and committed.
    partition.committed = 1;
    partition.assign();
    partition.poll(100);
    rig.settle();
    partition.send(Task.of("next"));
    rig.settle();
    partition.commitOffset();
    rig.settle();
    assertThat(rig.deliveredIds()).containsExactlyInAnyOrder("kept", "next");
    assertThat(rig.noticed(EngineEvent.DISCARDED)).containsExactly("run");
  }

  @Test
  void h02LastCommitOfAReleasedPartitionConfirmsRowsThatBecameDurableMeanwhile() {
    rig.commits = false;
    partition.send(Task.once("x"));
    rig.settle();
    partition.revoke(false);
    rig.settle();
    assertThat(partition.drained).isFalse();

    rig.commitAndSettle();
    assertThat(partition.drained).isTrue();
    partition.commitOffset();
    rig.commits = true;
    rig.settle();
    assertThat(rig.deliveredIds()).containsExactly("x");
  }

  @Test
  void h02ParkedRowThatBecomesDurableAfterAnotherBrokerRanItIsNotConfirmed() {
    rig.commits = false;
    partition.send(Task.once("x").delayUntil(rig.wall + FAR));
    partition.revoke(true);
    rig.settle();
    partition.committed = 1;
    partition.assign();
    rig.commits = true;
    rig.settle();
    partition.send(Task.of("next"));
    partition.commitOffset();
    rig.pass(FAR + 1);
    assertThat(rig.deliveredIds()).contains("next").doesNotContain("x");
    assertThat(rig.noticed(EngineEvent.DISCARDED)).containsExactly("x");
  }

  @Test
  void h02ParkedRowThatIsGoneIsNotConfirmed() {
    partition.send(Task.once("x").delayUntil(rig.wall + FAR));
    rig.settle();
    rig.report(Status.COMPLETE, "x");
    assertThat(rig.store.rows()).isEmpty();
    partition.commitOffset();
    rig.settle();
    assertThat(rig.store.missed).isEmpty();
  }

  /// Found by simulation: three such tasks left no room for any parked row.
  @Test
  void h02SuspendedTasksTakeNoRoomFromOthers() {
    var small = new EngineRig(RigOptions.pull().maxPending(2));
    RigPartition theirs = small.assigned("tasks");
    claimNeighbour(small);
    theirs.send(Task.once("a"), Task.once("b"));
    small.settle();
    small.pass(2_000);
    theirs.send(Task.of("parked"));
    small.settle();
    assertThat(small.depths().parked()).isEqualTo(1);
    theirs.revoke(true);
    small.settle();
    assertThat(small.claim().id()).isEqualTo("parked");

    theirs.assign();
    small.settle();
    assertThat(small.depths().pending()).isEqualTo(2);
  }

  @Test
  void h02TasksSuspendedAtStartupTakeNoRoomFromOthers() {
    var small = new EngineRig(RigOptions.pull().maxPending(2));
    RigPartition theirs = small.assigned("tasks");
    claimNeighbour(small);
    theirs.send(Task.once("a"), Task.once("b"));
    small.settle();
    small.pass(2_000);
    theirs.send(Task.of("parked"));
    small.settle();
    small.crash();
    small.pass(2_000);
    assertThat(small.claim().id()).isEqualTo("parked");
    assertThat(small.claim().id()).isEmpty();
  }

  /// Lets a task of another application run, without which no surplus is parked (H13).
  private static void claimNeighbour(EngineRig rig) {
    rig.assigned("others").send(Task.of("neighbour").application("other"));
    rig.settle();
    assertThat(rig.claim().id()).isEqualTo("neighbour");
  }
}
