package io.taskbroker.store.postgres;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.FinishedTask;
import io.taskbroker.activation.Row;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Writer of the records of finished tasks of one broker epoch, as steps of a commit. The position
/// of a record is the number of bytes of those before it. Confined to the committer thread.
final class FinishedLog {
  /// Most bytes of records that one delete removes: some milliseconds of work.
  static final long CHUNK = 1 << 20;

  /// Takes from the row what the row has, and writes nothing if there is no row. Names are bounded:
  /// Kafka's may be long.
  static final String INSERT =
      """
      INSERT INTO taskbroker_finished (epoch, position, bytes, ended_at, kept_until, outcome, asked, \
      id, first_id, application, namespace, taskname, topic, partition, record_offset, received_at, \
      delivered_at, deliveries, worker, message, history, result)
      SELECT ?, u.position, u.bytes, u.ended, u.kept, u.outcome, u.asked, left(t.id, 512), u.first, \
      left(t.application, 255), left(t.namespace, 255), left(t.taskname, 255), t.topic, \
      t.partition, t.kafka_offset, floor(extract(epoch FROM t.received_at) * 1000)::bigint, \
      nullif(u.delivered, -1), u.deliveries, u.worker, u.message, u.history, u.result
      FROM unnest(?::int[], ?::bigint[], ?::bigint[], ?::int[], ?::bigint[], ?::bigint[], ?::text[], \
      ?::bool[], ?::text[], ?::bigint[], ?::int[], ?::text[], ?::text[], ?::bytea[], ?::bytea[]) \
      AS u(partition_id, key, position, bytes, ended, kept, outcome, asked, first, delivered, \
      deliveries, worker, message, history, result)
      JOIN taskbroker_activation t ON t.partition_id = u.partition_id AND t.key = u.key
      ON CONFLICT DO NOTHING\
      """;

  /// Deletes the oldest records of an epoch: of those before a position, all before another one and
  /// those that are out of date.
  static final String PURGE =
      """
      DELETE FROM taskbroker_finished
      WHERE epoch = ? AND position < ? AND (position < ? OR kept_until < ?)\
      """;

  private final long epoch;
  private final long maxBytes;

  /// Position of the next record, and the one up to which records were deleted for their size.
  private long next;

  private long purged;

  /// Whether a commit found no space, and no insert has found any since. Meanwhile finished tasks
  /// leave no records, so that deletes make space (H12).
  boolean spaceLacks;

  /// @param maxBytes limit on the bytes of the records of this epoch
  FinishedLog(long epoch, long maxBytes) {
    this.epoch = epoch;
    this.maxBytes = maxBytes;
  }

  /// A record of a plan.
  record Placed(int partitionId, long key, long position, FinishedTask task) {}

  /// Records of one part of deletes; null if there are none.
  @Nullable Part part(CommitSegment.Part deletes, CommitPlan plan) {
    if (spaceLacks) {
      return null;
    }
    List<Placed> placed = new ArrayList<>();
    for (int i = 0; i < deletes.changes.size(); i++) {
      FinishedTask task = ((Change.Delete) deletes.changes.get(i)).finished();
      if (task != null) {
        long position = next + plan.placedBytes;
        plan.placedBytes += task.bytes();
        int partitionId = deletes.ownedPartitions.get(i).id();
        placed.add(new Placed(partitionId, deletes.changes.get(i).key(), position, task));
      }
    }
    return placed.isEmpty() ? null : new Part(epoch, placed);
  }

  /// Position up to which the commit of a plan deletes records; negative if it deletes none.
  long purge(CommitPlan plan) {
    long from = next + plan.finishedBytes - maxBytes;
    return plan.finishedBytes > 0 && from - purged >= Math.min(CHUNK, maxBytes / 8) ? from : -1;
  }

  /// Takes note of a committed plan.
  void committed(CommitPlan plan) {
    long from = purge(plan);
    next += plan.finishedBytes;
    purged = Math.max(purged, from);
  }

  /// Records to insert in one statement.
  record Part(long epoch, List<Placed> records) {
    void bind(Binder binder) throws SQLException {
      int n = records.size();
      int[] partitionIds = new int[n];
      long[] keys = new long[n];
      long[] positions = new long[n];
      int[] bytes = new int[n];
      long[] ended = new long[n];
      long[] kept = new long[n];
      String[] outcomes = new String[n];
      boolean[] asked = new boolean[n];
      @Nullable String[] firstIds = new String[n];
      long[] delivered = new long[n];
      int[] deliveries = new int[n];
      @Nullable String[] workers = new String[n];
      @Nullable String[] messages = new String[n];
      byte[] @Nullable [] histories = new byte[n][];
      byte[] @Nullable [] results = new byte[n][];
      for (int i = 0; i < n; i++) {
        Placed placed = records.get(i);
        FinishedTask task = placed.task();
        partitionIds[i] = placed.partitionId();
        keys[i] = placed.key();
        positions[i] = placed.position();
        bytes[i] = task.bytes();
        ended[i] = task.endedAt();
        kept[i] = task.keptUntil();
        outcomes[i] = task.outcome().name();
        asked[i] = task.asked();
        firstIds[i] = orNull(task.firstId());
        delivered[i] = task.deliveredAt() == Row.NONE ? -1 : task.deliveredAt();
        deliveries[i] = task.deliveries();
        workers[i] = orNull(task.worker());
        messages[i] = orNull(task.message());
        histories[i] = task.history();
        results[i] = task.result();
      }
      binder
          .set(epoch)
          .set(partitionIds)
          .set(keys)
          .set(positions)
          .set(bytes)
          .set(ended)
          .set(kept)
          .set(outcomes)
          .set(asked)
          .set(firstIds)
          .set(delivered)
          .set(deliveries)
          .set(workers)
          .set(messages)
          .set(histories)
          .set(results);
    }

    private static @Nullable String orNull(String text) {
      return text.isEmpty() ? null : text.replace("\0", "");
    }
  }
}
