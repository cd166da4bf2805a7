package io.taskbroker.store.postgres;

import io.taskbroker.activation.Ids.Fingerprint;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.ParkedRow;
import io.taskbroker.activation.RecordIdentity;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Watermark;
import io.taskbroker.store.ActivationStore.ParkedPage;
import io.taskbroker.store.ActivationStore.ParkedQuery;
import io.taskbroker.store.ActivationStore.Tombstone;
import io.taskbroker.store.StoreLimits;
import io.taskbroker.store.postgres.OwnedPartition.VersionedWatermark;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Paged reader of the rows of some partitions. Each page starts at an index position and skips
/// everything before it (H15). Confined to one thread, like its connection.
final class PostgresPageReader {
  static final String LOAD =
      """
      SELECT t.* FROM unnest(?::int[]) AS s(partition_id) CROSS JOIN LATERAL (
        SELECT %s FROM taskbroker_activation t
        WHERE t.partition_id = s.partition_id AND t.key > ? AND t.parked_until IS NULL
        ORDER BY t.key LIMIT ?
      ) t ORDER BY t.key LIMIT ?
      """
          .formatted(PostgresRowCodec.COLUMNS);

  static final String LOAD_PARKED =
      """
      SELECT t.* FROM unnest(?::int[]) AS s(partition_id) CROSS JOIN LATERAL (
        SELECT key, id, application, topic, partition, kafka_offset, parked_until,
          derived IS NOT FALSE OR at_most_once, priority
        FROM taskbroker_activation t
        WHERE t.partition_id = s.partition_id AND t.key > ? AND t.parked_until IS NOT NULL
        ORDER BY t.key LIMIT ?
      ) t ORDER BY t.key LIMIT ?
      """;

  static final String BY_KEY =
      """
      SELECT %s FROM taskbroker_activation t
      WHERE t.partition_id = ANY (?) AND t.key = ANY (?) ORDER BY t.key
      """
          .formatted(PostgresRowCodec.COLUMNS);

  /// Selects the keys and sizes of a page from the index, then the full rows that fit. The rest
  /// only yield the time when the next row is due.
  static final String DUE =
      """
      WITH page AS MATERIALIZED (
        SELECT p.* FROM unnest(?::int[]) AS s(partition_id) CROSS JOIN LATERAL (
          SELECT t.partition_id, t.key, t.parked_until, octet_length(t.activation) AS size
          FROM taskbroker_activation t
          WHERE t.partition_id = s.partition_id AND t.application = ? AND t.priority = ?
            AND t.parked_until IS NOT NULL AND (t.parked_until, t.key) > (?, ?)
          ORDER BY t.parked_until, t.key LIMIT ?
        ) p ORDER BY p.parked_until, p.key LIMIT ?
      ), counted AS (
        SELECT page.*, row_number() OVER before AS row_index,
          sum(size) OVER before - size AS bytes_before
        FROM page WINDOW before AS (ORDER BY parked_until, key)
      )
      SELECT %s, c.parked_until AS due FROM counted c LEFT JOIN taskbroker_activation t
      ON t.partition_id = c.partition_id AND t.key = c.key
        AND c.parked_until <= ? AND c.row_index <= ? AND c.bytes_before < ?
      ORDER BY c.parked_until, c.key
      """
          .formatted(PostgresRowCodec.COLUMNS);

  private static final String WATERMARKS =
      """
      SELECT DISTINCT ON (w.partition_id, w.cluster, w.consumer_group, w.topic_id)
        w.cluster, w.consumer_group, w.topic_id, p.topic, p.partition, w.version, w.next,
        w.committed, w.last_offset, w.last_epoch, w.last_timestamp
      FROM taskbroker_watermark w
      JOIN taskbroker_owned_partition p ON p.partition_id = w.partition_id
      WHERE w.partition_id = ANY (?)
      ORDER BY w.partition_id, w.cluster, w.consumer_group, w.topic_id, w.version DESC
      """;

  private static final String TOMBSTONES =
      """
      SELECT high, low, max(until) AS until FROM (
        SELECT high, low, until FROM taskbroker_tombstone
        WHERE partition_id = ANY (?) AND until > ? ORDER BY until DESC LIMIT ?
      ) newest GROUP BY high, low ORDER BY until
      """;

  private static final String BYTES =
      """
      SELECT coalesce(sum(%d + octet_length(activation)), 0)
      FROM taskbroker_activation WHERE partition_id = ?
      """
          .formatted(CommitSession.ROW_BYTES);

  private final Connection connection;
  private final PostgresRowCodec codec = new PostgresRowCodec();

  PostgresPageReader(Connection connection) {
    this.connection = connection;
  }

  List<Row> load(int[] partitionIds, long key, int limit) throws SQLException {
    List<Row> rows = new ArrayList<>();
    try (PreparedStatement load = connection.prepareStatement(LOAD)) {
      new Binder(load).set(partitionIds).set(key).set(limit).set(limit);
      try (ResultSet result = load.executeQuery()) {
        while (result.next()) {
          rows.add(codec.read(result));
        }
      }
    }
    return rows;
  }

  List<ParkedRow> loadParked(int[] partitionIds, long key, int limit) throws SQLException {
    List<ParkedRow> rows = new ArrayList<>();
    try (PreparedStatement load = connection.prepareStatement(LOAD_PARKED)) {
      new Binder(load).set(partitionIds).set(key).set(limit).set(limit);
      try (ResultSet result = load.executeQuery()) {
        while (result.next()) {
          rows.add(
              new ParkedRow(
                  result.getLong(1),
                  result.getString(2),
                  codec.names.shared(result.getString(3)),
                  new Origin(
                      codec.names.shared(result.getString(4)), result.getInt(5), result.getLong(6)),
                  result.getLong(7),
                  result.getBoolean(8),
                  result.getInt(9)));
        }
      }
    }
    return rows;
  }

  List<Row> rows(int[] partitionIds, List<Long> keys) throws SQLException {
    List<Row> rows = new ArrayList<>();
    try (PreparedStatement read = connection.prepareStatement(BY_KEY)) {
      new Binder(read).set(partitionIds).set(keys.stream().mapToLong(Long::longValue).toArray());
      try (ResultSet result = read.executeQuery()) {
        while (result.next()) {
          rows.add(codec.read(result));
        }
      }
    }
    return rows;
  }

  ParkedPage due(int[] partitionIds, ParkedQuery query) throws SQLException {
    List<Row> rows = new ArrayList<>();
    try (PreparedStatement due = connection.prepareStatement(DUE)) {
      int more = query.limit() == Integer.MAX_VALUE ? query.limit() : query.limit() + 1;
      new Binder(due)
          .set(partitionIds)
          .set(query.application())
          .set(query.priority())
          .set(query.afterDue())
          .set(query.afterKey())
          .set(more)
          .set(more)
          .set(query.upTo())
          .set(query.limit())
          .set(StoreLimits.PAGE_BYTES);
      try (ResultSet result = due.executeQuery()) {
        while (result.next()) {
          if (result.getObject(1) == null) {
            return new ParkedPage(rows, result.getLong("due"));
          }
          rows.add(codec.read(result));
        }
      }
    }
    return new ParkedPage(rows, Row.NONE);
  }

  List<VersionedWatermark> watermarks(int[] partitionIds) throws SQLException {
    List<VersionedWatermark> all = new ArrayList<>();
    try (PreparedStatement watermarks = connection.prepareStatement(WATERMARKS)) {
      new Binder(watermarks).set(partitionIds);
      try (ResultSet result = watermarks.executeQuery()) {
        while (result.next()) {
          SourcePartition partition =
              new SourcePartition(
                  result.getString(1),
                  result.getString(2),
                  result.getString(3),
                  result.getString(4),
                  result.getInt(5));
          long committed = PostgresRowCodec.millis(result, 8, Watermark.NONE);
          all.add(
              new VersionedWatermark(
                  new Watermark(partition, result.getLong(7), committed, identity(result)),
                  result.getLong(6)));
        }
      }
    }
    return all;
  }

  private static @Nullable RecordIdentity identity(ResultSet result) throws SQLException {
    long offset = PostgresRowCodec.millis(result, 9, Watermark.NONE);
    return offset == Watermark.NONE
        ? null
        : new RecordIdentity(offset, result.getInt(10), result.getLong(11));
  }

  List<Tombstone> tombstones(int[] partitionIds, long now, int limit) throws SQLException {
    List<Tombstone> all = new ArrayList<>();
    try (PreparedStatement tombstones = connection.prepareStatement(TOMBSTONES)) {
      new Binder(tombstones).set(partitionIds).set(now).set(limit);
      try (ResultSet result = tombstones.executeQuery()) {
        while (result.next()) {
          all.add(
              new Tombstone(
                  new Fingerprint(result.getLong(1), result.getLong(2)), result.getLong(3)));
        }
      }
    }
    return all;
  }

  /// Size of the rows of a partition.
  long bytes(int partitionId) throws SQLException {
    try (PreparedStatement bytes = connection.prepareStatement(BYTES)) {
      new Binder(bytes).set(partitionId);
      try (ResultSet result = bytes.executeQuery()) {
        result.next();
        return result.getLong(1);
      }
    }
  }
}
