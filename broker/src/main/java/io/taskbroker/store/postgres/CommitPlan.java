package io.taskbroker.store.postgres;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.FinishedTask;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Watermark;
import io.taskbroker.store.postgres.CommitSegment.Kind;
import io.taskbroker.store.postgres.OwnedPartition.VersionedWatermark;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/// Plan of a batch: row changes grouped into statements, watermarks, tombstones, and the outcome of
/// each change. Changes of partitions that this broker does not own are fenced. Confined to the
/// committer thread.
final class CommitPlan {
  final List<CommitSegment> segments = new ArrayList<>();
  final List<NewTombstone> tombstones = new ArrayList<>();
  final Map<SourcePartition, WatermarkUpdate> watermarks = new LinkedHashMap<>();
  final Set<OwnedPartition> ownedPartitions = new LinkedHashSet<>();
  private final Map<Integer, Long> sizes = new HashMap<>(); // bytes by partition id
  private final ChangeOutcome[] outcomes;

  /// Records of the tasks that it ends, and bytes of their pages once they are in a script.
  final List<FinishedTask> finished = new ArrayList<>();

  long finishedBytes;

  /// Keys of deleted and of retried rows with known remote reports.
  long[] deletedWithReports = {};

  long[] retriedWithReports = {};

  private CommitPlan(int changes) {
    outcomes = new ChangeOutcome[changes];
    Arrays.fill(outcomes, ChangeOutcome.APPLIED);
  }

  record NewTombstone(OwnedPartition ownedPartition, String id, long until) {}

  /// @param previous null if there is no row yet
  record WatermarkUpdate(
      OwnedPartition ownedPartition, @Nullable VersionedWatermark previous, Watermark now) {
    long version() {
      return previous == null ? 1 : previous.version() + 1;
    }
  }

  /// Finds the deleted and the retried rows with known remote reports.
  void findReports(RemoteReportTable reports) {
    deletedWithReports = keysWithReports(Kind.DELETE, reports);
    retriedWithReports = keysWithReports(Kind.RETRY, reports);
  }

  private long[] keysWithReports(Kind kind, RemoteReportTable reports) {
    LongStream.Builder keys = LongStream.builder();
    for (CommitSegment segment : segments) {
      for (Change change : segment.changes(kind)) {
        if (reports.hasReports(change.key())) {
          keys.add(change.key());
        }
      }
    }
    return keys.build().toArray();
  }

  /// Keys of the tasks of slots.
  long[] firedKeys() {
    return segments.stream()
        .flatMap(segment -> segment.changes(Kind.FIRE).stream())
        .mapToLong(Change::key)
        .toArray();
  }

  static CommitPlan of(List<Change> changes, OwnedPartitions ownedPartitions) {
    CommitPlan plan = new CommitPlan(changes.size());
    for (int i = 0; i < changes.size(); i++) {
      plan.add(changes.get(i), i, ownedPartitions);
    }
    return plan;
  }

  boolean isEmpty() {
    return ownedPartitions.isEmpty();
  }

  int[] partitionIds() {
    return ownedPartitions.stream().mapToInt(OwnedPartition::id).toArray();
  }

  void setOutcome(int index, ChangeOutcome outcome) {
    outcomes[index] = outcome;
  }

  List<ChangeOutcome> outcomes() {
    return Collections.unmodifiableList(Arrays.asList(outcomes));
  }

  /// Adds to the size of the rows of a partition.
  void addBytes(int partitionId, long bytes) {
    sizes.merge(partitionId, bytes, Long::sum);
  }

  /// Applies watermarks and sizes to memory after the commit.
  void recordCommit() {
    ownedPartitions.forEach(ownedPartition ->
        ownedPartition.bytes().addAndGet(sizes.getOrDefault(ownedPartition.id(), 0L)));
    watermarks.forEach((partition, update) ->
        update
            .ownedPartition()
            .watermarks()
            .put(partition, new VersionedWatermark(update.now(), update.version())));
  }

  /// Applies watermarks and sizes of an attempt whose reply was lost. The true change of the sizes
  /// is unknown; the planned inserts are assumed.
  ///
  /// @param fired keys of the [Change.Fire]s whose rows exist; the others were superseded
  void recordEarlierCommit(Set<Long> fired) {
    for (CommitSegment segment : segments) {
      for (CommitSegment.Part part : segment.parts()) {
        for (int i = 0; i < part.changes.size(); i++) {
          Row row = null;
          if (part.changes.get(i) instanceof Change.Insert insert) {
            row = insert.row();
          } else if (part.changes.get(i) instanceof Change.Fire fire) {
            if (fired.contains(fire.key())) {
              row = fire.row();
            } else {
              setOutcome(part.indices.get(i), ChangeOutcome.SUPERSEDED);
            }
          }
          if (row != null) {
            addBytes(
                part.ownedPartitions.get(i).id(),
                CommitSession.ROW_BYTES + row.activation().payload().length);
          }
        }
      }
    }
    recordCommit();
  }

  private void add(Change change, int index, OwnedPartitions owned) {
    switch (change) {
      case Change.Insert c -> addRowChange(Kind.INSERT, c, index, owned);
      case Change.Fire c -> addRowChange(Kind.FIRE, c, index, owned);
      case Change.UpdateStatus c -> addRowChange(Kind.UPDATE_STATUS, c, index, owned);
      case Change.ConfirmOffset c -> addRowChange(Kind.CONFIRM_OFFSET, c, index, owned);
      case Change.ChangeDelay c -> addRowChange(Kind.CHANGE_DELAY, c, index, owned);
      case Change.ChangePriority c -> addRowChange(Kind.CHANGE_PRIORITY, c, index, owned);
      case Change.Forward c ->
          addRowChange(
              c.payload() == null ? Kind.FORWARD : Kind.FORWARD_WITH_PAYLOAD, c, index, owned);
      case Change.Retry c -> addRowChange(Kind.RETRY, c, index, owned);
      case Change.Delete c -> {
        OwnedPartition ownedPartition = addRowChange(Kind.DELETE, c, index, owned);
        FinishedTask record = c.finished();
        if (ownedPartition != null && record != null) {
          finished.add(record);
        }
        if (ownedPartition != null && c.tombstoneUntil() != Row.NONE) {
          tombstones.add(new NewTombstone(ownedPartition, c.id(), c.tombstoneUntil()));
        }
      }
      case Change.AdvanceWatermark c ->
          addWatermark(
              c.partition(),
              index,
              owned,
              old ->
                  old == null
                      ? new Watermark(c.partition(), c.next(), Watermark.NONE, c.last())
                      : old.movedTo(c.next(), c.last()));
      case Change.OffsetCommitted c ->
          addWatermark(
              c.partition(),
              index,
              owned,
              old ->
                  old == null
                      ? new Watermark(c.partition(), c.committed(), c.committed())
                      : new Watermark(c.partition(), old.next(), c.committed(), old.last()));
    }
  }

  private @Nullable OwnedPartition addRowChange(
      Kind kind, Change.OfRow change, int index, OwnedPartitions owned) {
    OwnedPartition ownedPartition = owned.of(change.origin());
    if (ownedPartition == null) {
      outcomes[index] = ChangeOutcome.FENCED;
      return null;
    }
    ownedPartitions.add(ownedPartition);
    if (segments.isEmpty() || !segments.getLast().add(kind, change, ownedPartition, index)) {
      CommitSegment next = new CommitSegment();
      next.add(kind, change, ownedPartition, index);
      segments.add(next);
    }
    return ownedPartition;
  }

  private void addWatermark(
      SourcePartition partition,
      int index,
      OwnedPartitions owned,
      Function<@Nullable Watermark, Watermark> change) {
    OwnedPartition ownedPartition = owned.of(partition);
    if (ownedPartition == null) {
      outcomes[index] = ChangeOutcome.FENCED;
      return;
    }
    ownedPartitions.add(ownedPartition);
    WatermarkUpdate before = watermarks.get(partition);
    VersionedWatermark previous =
        before != null ? before.previous() : ownedPartition.watermarks().get(partition);
    Watermark old = before != null ? before.now() : previous == null ? null : previous.watermark();
    watermarks.put(partition, new WatermarkUpdate(ownedPartition, previous, change.apply(old)));
  }
}
