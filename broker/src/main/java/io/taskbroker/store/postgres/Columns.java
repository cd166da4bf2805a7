package io.taskbroker.store.postgres;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.Ids;
import io.taskbroker.activation.RecordIdentity;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Watermark;
import io.taskbroker.store.postgres.CommitPlan.Moved;
import io.taskbroker.store.postgres.CommitPlan.TombstoneAt;
import io.taskbroker.store.postgres.CommitSegment.Kind;
import io.taskbroker.store.postgres.CommitSegment.Part;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// How what is planned becomes the parameters of the statements in [Sql]: an array for each column.
final class Columns {
  private Columns() {}

  static void bind(Part part, Binder binder) throws SQLException {
    switch (part.kind) {
      case INSERT -> {
        List<Row> rows = new ArrayList<>(part.changes.size());
        for (Change change : part.changes) {
          rows.add(((Change.Insert) change).row());
        }
        PostgresRowCodec.bind(binder, rows, part.slots());
      }
      case MARK -> bindMarks(part, binder);
      case PROVE, DELETE -> binder.set(part.slots()).set(part.keys());
      case LEAVE, LEAVE_WITH_PAYLOAD -> bindLeaves(part, binder);
    }
  }

  private static void bindMarks(Part part, Binder binder) throws SQLException {
    int n = part.changes.size();
    String[] statuses = new String[n];
    int[] attempts = new int[n];
    long[] claims = new long[n];
    long[] deadlines = new long[n];
    boolean[] extended = new boolean[n];
    boolean[] committed = new boolean[n];
    for (int i = 0; i < n; i++) {
      Change.UpdateStatus mark = (Change.UpdateStatus) part.changes.get(i);
      statuses[i] = mark.status().storedName();
      attempts[i] = mark.attempts();
      claims[i] = PostgresRowCodec.time(mark.claimExpiresAt(), Row.NONE);
      deadlines[i] = PostgresRowCodec.time(mark.processingDeadline(), Row.NONE);
      extended[i] = mark.deadlineExtended();
      committed[i] = mark.committed();
    }
    binder.set(part.slots()).set(part.keys()).set(statuses).set(attempts);
    binder.set(claims).set(deadlines).set(extended).set(committed);
  }

  private static void bindLeaves(Part part, Binder binder) throws SQLException {
    int n = part.changes.size();
    String[] statuses = new String[n];
    String[] topics = new String[n];
    @Nullable String[] clusters = new String[n];
    @Nullable String[] headers = new String[n];
    byte[] @Nullable [] payloads = new byte[n][];
    for (int i = 0; i < n; i++) {
      Change.Forward leave = (Change.Forward) part.changes.get(i);
      statuses[i] = leave.status().storedName();
      topics[i] = leave.destination().topic();
      clusters[i] = PostgresRowCodec.cluster(leave.destination());
      headers[i] = PostgresRowCodec.headers(leave.destination());
      payloads[i] = leave.payload();
    }
    binder.set(part.slots()).set(part.keys()).set(statuses).set(topics).set(clusters).set(headers);
    if (part.kind == Kind.LEAVE_WITH_PAYLOAD) {
      binder.set(payloads);
    }
  }

  static void bindTombstones(List<TombstoneAt> tombstones, Binder binder) throws SQLException {
    int n = tombstones.size();
    int[] slots = new int[n];
    long[] untils = new long[n];
    long[] highs = new long[n];
    long[] lows = new long[n];
    for (int i = 0; i < n; i++) {
      TombstoneAt tombstone = tombstones.get(i);
      Ids.Fingerprint id = Ids.fingerprint(tombstone.id());
      slots[i] = tombstone.place().slot();
      untils[i] = tombstone.until();
      highs[i] = id.high();
      lows[i] = id.low();
    }
    binder.set(slots).set(untils).set(highs).set(lows);
  }

  /// @param old whether it is about the versions before
  static void bindWatermarks(Map<SourcePartition, Moved> watermarks, Binder binder, boolean old)
      throws SQLException {
    int n = watermarks.size();
    int[] slots = new int[n];
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
      Moved moved = entry.getValue();
      slots[i] = moved.place().slot();
      clusters[i] = partition.cluster();
      groups[i] = partition.group();
      topicIds[i] = partition.topicId();
      versions[i] = old ? moved.version() - 1 : moved.version();
      nexts[i] = moved.now().next();
      committed[i] = moved.now().committed();
      RecordIdentity last = moved.now().last();
      lastOffsets[i] = last == null ? Watermark.NONE : last.offset();
      lastEpochs[i] = last == null ? RecordIdentity.NO_EPOCH : last.leaderEpoch();
      lastTimestamps[i] = last == null ? 0 : last.timestamp();
      i++;
    }
    binder.set(slots).set(clusters).set(groups).set(topicIds).set(versions);
    if (!old) {
      binder.set(nexts).set(committed).set(lastOffsets).set(lastEpochs).set(lastTimestamps);
    }
  }
}
