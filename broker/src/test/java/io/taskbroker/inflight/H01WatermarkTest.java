package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.Status;
import java.util.List;
import org.junit.jupiter.api.Test;

/// H1: what was consumed is stored with the rows, so that nothing is ingested twice.
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
      case Change.Consumed consumed -> "consumed " + consumed.next();
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
    assertThat(rig.handedOutIds()).containsExactly("a");
  }

  @Test
  void h01RecordsOfWhichNothingIsDurableAreReadAgain() {
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
    assertThat(rig.noticed(Notice.DUPLICATE)).containsExactly("a");
    assertThat(rig.noticed(Notice.EXPIRED)).containsExactly("late");
    assertThat(rig.store.rows()).hasSize(1);
  }

  @Test
  void h01AcceptedPartOfABatchIsConsumedWhenThePartitionIsRevoked() {
    var small = new EngineRig(RigOptions.pull().maxPending(2));
    RigPartition given = small.assigned("tasks");
    given.send(Task.of("a"), Task.of("b"), Task.of("c"));
    small.settle();
    assertThat(given.consumed).isEqualTo(-1);

    given.revoke(false);
    small.settle();
    assertThat(given.consumed).isEqualTo(2);
    assertThat(given.drained).isTrue();
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
