package io.taskbroker.store.postgres;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.Ids;
import io.taskbroker.activation.RecordIdentity;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.ScheduleRow;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Watermark;
import io.taskbroker.store.StoredDestination;
import io.taskbroker.store.postgres.CommitPlan.NewTombstone;
import io.taskbroker.store.postgres.CommitPlan.WatermarkUpdate;
import io.taskbroker.store.postgres.CommitSegment.Kind;
import io.taskbroker.store.postgres.CommitSegment.Part;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Binding of a plan to the statements in [Sql]: one array parameter per column.
final class Columns {
  private Columns() {}

  static void bind(Part part, Binder binder) throws SQLException {
    switch (part.kind) {
      case INSERT -> {
        List<Row> rows = new ArrayList<>(part.changes.size());
        for (Change change : part.changes) {
          rows.add(((Change.Insert) change).row());
        }
        PostgresRowCodec.bind(binder, rows, part.partitionIds());
      }
      case FIRE -> bindFires(part, binder);
      case UPDATE_STATUS -> bindStatusUpdates(part, binder);
      case CONFIRM_OFFSET, DELETE -> binder.set(part.partitionIds()).set(part.keys());
      case CHANGE_DELAY ->
          binder
              .set(part.partitionIds())
              .set(part.keys())
              .set(
                  part.changes.stream()
                      .mapToLong(change ->
                          PostgresRowCodec.time(((Change.ChangeDelay) change).delayUntil(), 0))
                      .toArray());
      case CHANGE_PRIORITY -> bindPriorities(part, binder);
      case FORWARD, FORWARD_WITH_PAYLOAD -> bindForwards(part, binder);
      case RETRY -> bindRetries(part, binder);
    }
  }

  private static void bindFires(Part part, Binder binder) throws SQLException {
    int n = part.changes.size();
    List<Row> rows = new ArrayList<>(n);
    String[] names = new String[n];
    long[] versions = new long[n];
    long[] nextVersions = new long[n];
    long[] dues = new long[n];
    byte[] @Nullable [] states = new byte[n][];
    for (int i = 0; i < n; i++) {
      Change.Fire fire = (Change.Fire) part.changes.get(i);
      ScheduleRow next = fire.step().next();
      rows.add(fire.row());
      names[i] = next.name();
      versions[i] = fire.step().version();
      nextVersions[i] = next.version();
      dues[i] = next.dueAt();
      states[i] = next.state();
    }
    binder.set(part.keys()).set(names).set(versions).set(nextVersions).set(dues).set(states);
    PostgresRowCodec.bind(binder, rows, part.partitionIds());
  }

  private static void bindPriorities(Part part, Binder binder) throws SQLException {
    int n = part.changes.size();
    short[] priorities = new short[n];
    long[] parked = new long[n];
    for (int i = 0; i < n; i++) {
      Change.ChangePriority change = (Change.ChangePriority) part.changes.get(i);
      priorities[i] = (short) change.priority();
      parked[i] = change.parkedUntil();
    }
    binder.set(part.partitionIds()).set(part.keys()).set(priorities).set(parked);
  }

  private static void bindRetries(Part part, Binder binder) throws SQLException {
    int n = part.changes.size();
    String[] statuses = new String[n];
    long[] delays = new long[n];
    byte[] @Nullable [] payloads = new byte[n][];
    for (int i = 0; i < n; i++) {
      Row row = ((Change.Retry) part.changes.get(i)).row();
      statuses[i] = row.status().storedName();
      delays[i] = PostgresRowCodec.time(row.activation().delayUntil(), 0);
      payloads[i] = row.activation().payload();
    }
    binder.set(part.partitionIds()).set(part.keys()).set(statuses).set(delays).set(payloads);
  }

  private static void bindStatusUpdates(Part part, Binder binder) throws SQLException {
    int n = part.changes.size();
    String[] statuses = new String[n];
    int[] attempts = new int[n];
    long[] claims = new long[n];
    long[] deadlines = new long[n];
    boolean[] extended = new boolean[n];
    boolean[] committed = new boolean[n];
    for (int i = 0; i < n; i++) {
      Change.UpdateStatus update = (Change.UpdateStatus) part.changes.get(i);
      statuses[i] = update.status().storedName();
      attempts[i] = update.attempts();
      claims[i] = PostgresRowCodec.time(update.claimExpiresAt(), Row.NONE);
      deadlines[i] = PostgresRowCodec.time(update.processingDeadline(), Row.NONE);
      extended[i] = update.deadlineExtended();
      committed[i] = update.committed();
    }
    binder.set(part.partitionIds()).set(part.keys()).set(statuses).set(attempts);
    binder.set(claims).set(deadlines).set(extended).set(committed);
  }

  private static void bindForwards(Part part, Binder binder) throws SQLException {
    int n = part.changes.size();
    String[] statuses = new String[n];
    String[] topics = new String[n];
    @Nullable String[] clusters = new String[n];
    @Nullable String[] headers = new String[n];
    byte[] @Nullable [] payloads = new byte[n][];
    for (int i = 0; i < n; i++) {
      Change.Forward forward = (Change.Forward) part.changes.get(i);
      statuses[i] = forward.status().storedName();
      topics[i] = forward.destination().topic();
      clusters[i] = StoredDestination.cluster(forward.destination());
      headers[i] = StoredDestination.headers(forward.destination());
      payloads[i] = forward.payload();
    }
    binder
        .set(part.partitionIds())
        .set(part.keys())
        .set(statuses)
        .set(topics)
        .set(clusters)
        .set(headers);
    if (part.kind == Kind.FORWARD_WITH_PAYLOAD) {
      binder.set(payloads);
    }
  }

  static void bindTombstones(List<NewTombstone> tombstones, Binder binder) throws SQLException {
    int n = tombstones.size();
    int[] partitionIds = new int[n];
    long[] untils = new long[n];
    long[] highs = new long[n];
    long[] lows = new long[n];
    for (int i = 0; i < n; i++) {
      NewTombstone tombstone = tombstones.get(i);
      Ids.Fingerprint id = Ids.fingerprint(tombstone.id());
      partitionIds[i] = tombstone.ownedPartition().id();
      untils[i] = tombstone.until();
      highs[i] = id.high();
      lows[i] = id.low();
    }
    binder.set(partitionIds).set(untils).set(highs).set(lows);
  }

  /// @param old true binds the previous versions, for deletion
  static void bindWatermarks(
      Map<SourcePartition, WatermarkUpdate> watermarks, Binder binder, boolean old)
      throws SQLException {
    int n = watermarks.size();
    int[] partitionIds = new int[n];
    String[] clusters = new String[n];
    String[] groups = new String[n];
    String[] topicIds = new String[n];
    long[] versions = new long[n];
    long[] nexts = new long[n];
    long[] committed = new long[n];
    long[] lastOffsets = new long[n];
    int[] lastEpochs = new int[n];
    long[] lastTimestamps = new long[n];
    int i = 0;
    for (var entry : watermarks.entrySet()) {
      SourcePartition partition = entry.getKey();
      WatermarkUpdate update = entry.getValue();
      partitionIds[i] = update.ownedPartition().id();
      clusters[i] = partition.cluster();
      groups[i] = partition.group();
      topicIds[i] = partition.topicId();
      versions[i] = old ? update.version() - 1 : update.version();
      nexts[i] = update.now().next();
      committed[i] = update.now().committed();
      RecordIdentity last = update.now().last();
      lastOffsets[i] = last == null ? Watermark.NONE : last.offset();
      lastEpochs[i] = last == null ? RecordIdentity.NO_EPOCH : last.leaderEpoch();
      lastTimestamps[i] = last == null ? 0 : last.timestamp();
      i++;
    }
    binder.set(partitionIds).set(clusters).set(groups).set(topicIds).set(versions);
    if (!old) {
      binder.set(nexts).set(committed).set(lastOffsets).set(lastEpochs).set(lastTimestamps);
    }
  }
}
