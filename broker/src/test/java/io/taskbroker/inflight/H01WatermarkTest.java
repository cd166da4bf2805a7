package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.EngineEvent;
import java.util.List;
import org.junit.jupiter.api.Test;

/// H1: the watermark is stored with the rows, so that no record is ingested twice.
final class H01WatermarkTest {
  private final EngineRig rig = new EngineRig(RigOptions.pull());
  private final RigPartition partition = rig.assigned("tasks");

  @Test
  void h01WatermarkFollowsItsRowsInOneOrder() {
    rig.commits = false;
    partition.send(Task.of("a"), Task.of("b").delayUntil(rig.wall + 5_000));
    partition.send(Task.of("c"));
    rig.settle();

    assertThat(rig.store.uncommitted())
        .extracting(H01WatermarkTest::nameOf)
        .containsExactly("insert a", "insert b", "consumed 2", "insert c", "consumed 3");
  }

  private static String nameOf(Change change) {
    return switch (change) {
      case Change.Insert insert -> "insert " + insert.row().activation().id();
      case Change.AdvanceWatermark consumed -> "consumed " + consumed.next();
      default -> change.toString();
    };
  }

  @Test
  void h01OffsetMayBeCommittedOnlyWhenRowsAndWatermarkAreDurable() {
    rig.commits = false;
    partition.send(Task.of("a"), Task.of("b"));
    rig.settle();
    rig.commit(2);
    assertThat(partition.consumed).isEqualTo(-1);

    rig.commit(1);
    assertThat(partition.consumed).isEqualTo(2);
    assertThat(partition.settledRecords).isEqualTo(2);
  }

  @Test
  void h01FinishedTaskIsNotRunAgainThoughItsOffsetWasNotCommitted() {
    partition.send(Task.of("a"));
    assertThat(rig.claim().id()).isEqualTo("a");
    assertThat(rig.report(Status.COMPLETE, "a").isAnswered()).isTrue();
    assertThat(rig.store.rows()).isEmpty();

    rig.crash();
    partition.assign();
    partition.poll(100);

    assertThat(rig.claim().id()).isEmpty();
    assertThat(rig.deliveredIds()).containsExactly("a");
  }

  @Test
  void h01RecordsThatAreNotDurableAreReadAgain() {
    rig.commits = false;
    partition.send(Task.of("a"), Task.of("b"));
    rig.settle();
    rig.commit(1);

    rig.crash();
    rig.commits = true;
    partition.assign();
    partition.poll(100);
    rig.settle();

    assertThat(List.of(rig.claim().id(), rig.claim().id(), rig.claim().id()))
        .containsExactly("a", "b", "");
  }

  @Test
  void h01DroppedRecordsMoveTheWatermark() {
    partition.appendDropped();
    partition.appendDropped();
    partition.poll(10);
    rig.settle();
    assertThat(rig.store.watermark(partition.source).next()).isEqualTo(2);
    assertThat(partition.consumed).isEqualTo(2);
  }

  @Test
  void h01DuplicatesAndExpiredRecordsMoveTheWatermark() {
    partition.send(Task.of("a"), Task.of("a"), Task.of("late").expiresAt(rig.wall));
    rig.settle();
    assertThat(rig.store.watermark(partition.source).next()).isEqualTo(3);
    assertThat(rig.noticed(EngineEvent.DUPLICATE)).containsExactly("a");
    assertThat(rig.expired()).containsExactly("late");
    assertThat(rig.store.rows()).hasSize(1);
  }

  @Test
  void h01AcceptedPartOfABatchIsConsumedWhenThePartitionIsRevoked() {
    var small = new EngineRig(RigOptions.pull().maxPending(2));
    RigPartition revoked = small.assigned("tasks");
    revoked.send(Task.of("a"), Task.of("b"), Task.of("c"));
    small.settle();
    revoked.revoke(false);
    small.settle();
    assertThat(revoked.consumed).isEqualTo(2);
    assertThat(revoked.drained).isTrue();
  }

  @Test
  void h01FinishedTaskIsNotRunAgainThoughTheRestOfItsBatchHadToWait() {
    var small = new EngineRig(RigOptions.pull().maxPending(2));
    RigPartition full = small.assigned("tasks");
    full.send(Task.of("a"), Task.of("b"), Task.of("c"), Task.of("d"), Task.of("e"));
    assertThat(full.consumed).isEqualTo(2);
    assertThat(full.settledRecords).isEqualTo(2);
    assertThat(small.claim().id()).isEqualTo("a");
    assertThat(small.report(Status.COMPLETE, "a").isAnswered()).isTrue();
    assertThat(full.isSettled()).isFalse();

    small.crash();
    full.assign();
    full.poll(100);
    while (!small.claim().id().isEmpty()) {
      small.settle();
    }
    assertThat(small.deliveredIds()).containsExactly("a", "b", "c", "d", "e");
    assertThat(full.consumed).isEqualTo(5);
  }

  @Test
  void h01PartsOfABatchAddUp() {
    var small = new EngineRig(RigOptions.pull().maxPending(1));
    RigPartition full = small.assigned("tasks");
    full.send(Task.of("a"), Task.of("b"), Task.of("c"));
    while (!small.claim().id().isEmpty()) {
      small.settle();
    }
    assertThat(full.consumed).isEqualTo(3);
    assertThat(full.settledRecords).isEqualTo(3);
    assertThat(full.settledBytes).isEqualTo(full.sentBytes);
  }

  @Test
  void h01NewPositionIsWrittenBeforeALaterCommit() {
    var slow = new EngineRig(RigOptions.pull().maxChanges(1));
    RigPartition moved = slow.assigned("tasks");
    moved.send(Task.of("a"));
    slow.commits = false;
    moved.send(Task.of("b"));
    slow.tell(new Command.PartitionRevoked(moved.source, false));
    slow.tell(new Command.PartitionAssigned(moved.source, 0));
    slow.tell(new Command.Ingest(moved.source, List.of(), 0, 0));
    slow.tell(new Command.OffsetCommitted(moved.source, 0));
    slow.settle();
    List<Change> written = slow.store.uncommitted();
    assertThat(written.get(written.size() - 2))
        .isInstanceOfSatisfying(
            Change.AdvanceWatermark.class, consumed -> assertThat(consumed.next()).isZero());
    assertThat(written.getLast()).isInstanceOf(Change.OffsetCommitted.class);
  }

  @Test
  void h01AcknowledgedCommitIsKeptBesideTheWatermark() {
    partition.send(Task.of("a"));
    rig.settle();
    partition.commitOffset();
    rig.settle();
    assertThat(rig.store.watermark(partition.source).committed()).isEqualTo(1);
  }
}
