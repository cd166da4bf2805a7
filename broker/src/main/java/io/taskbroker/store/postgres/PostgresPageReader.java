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
import io.taskbroker.store.postgres.OwnedPartition.Mark;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Reads rows of some places in pages, each of which an index leads to: no page reads what is
/// before it (H15). Confined to one thread, like its connection.
final class PostgresPageReader {
  static final String LOAD =
      """
      SELECT t.* FROM unnest(?::int[]) AS s(slot) CROSS JOIN LATERAL (
        SELECT %s FROM taskbroker_activation t
        WHERE t.slot = s.slot AND t.key > ? AND t.parked_until IS NULL ORDER BY t.key LIMIT ?
      ) t ORDER BY t.key LIMIT ?
      """
          .formatted(PostgresRowCodec.COLUMNS);

  static final String LOAD_PARKED =
      """
      SELECT t.* FROM unnest(?::int[]) AS s(slot) CROSS JOIN LATERAL (
        SELECT key, id, application, topic, partition, kafka_offset, parked_until,
          derived IS NOT FALSE OR at_most_once
        FROM taskbroker_activation t
        WHERE t.slot = s.slot AND t.key > ? AND t.parked_until IS NOT NULL ORDER BY t.key LIMIT ?
      ) t ORDER BY t.key LIMIT ?
      """;

  static final String BY_KEY =
      """
      SELECT %s FROM taskbroker_activation t
      WHERE t.slot = ANY (?) AND t.key = ANY (?) ORDER BY t.key
      """
          .formatted(PostgresRowCodec.COLUMNS);

  /// First the rows of the page by their index, with their sizes, and then as many whole as have
  /// room. The others say when the next is due.
  static final String DUE =
      """
      WITH page AS MATERIALIZED (
        SELECT p.* FROM unnest(?::int[]) AS s(slot) CROSS JOIN LATERAL (
          SELECT t.slot, t.key, t.parked_until, octet_length(t.activation) AS size
          FROM taskbroker_activation t
          WHERE t.slot = s.slot AND t.application = ? AND t.parked_until IS NOT NULL
            AND (t.parked_until, t.key) > (?, ?)
          ORDER BY t.parked_until, t.key LIMIT ?
        ) p ORDER BY p.parked_until, p.key LIMIT ?
      ), counted AS (
        SELECT page.*, row_number() OVER before AS place,
          sum(size) OVER before - size AS bytes_before
        FROM page WINDOW before AS (ORDER BY parked_until, key)
      )
      SELECT %s, c.parked_until AS due FROM counted c LEFT JOIN taskbroker_activation t
      ON t.slot = c.slot AND t.key = c.key
        AND c.parked_until <= ? AND c.place <= ? AND c.bytes_before < ?
      ORDER BY c.parked_until, c.key
      """
          .formatted(PostgresRowCodec.COLUMNS);

  private static final String WATERMARKS =
      """
      SELECT DISTINCT ON (w.slot, w.cluster, w.grp, w.topic_id)
        w.cluster, w.grp, w.topic_id, p.topic, p.partition, w.version, w.next, w.committed,
        w.last_offset, w.last_epoch, w.last_timestamp
      FROM taskbroker_watermark w JOIN taskbroker_place p ON p.slot = w.slot
      WHERE w.slot = ANY (?)
      ORDER BY w.slot, w.cluster, w.grp, w.topic_id, w.version DESC
      """;

  private static final String TOMBSTONES =
      """
      SELECT high, low, max(until) AS until FROM taskbroker_tombstone
      WHERE slot = ANY (?) AND until > ? GROUP BY high, low ORDER BY until
      """;

  private static final String BYTES =
      """
      SELECT coalesce(sum(%d + octet_length(activation)), 0)
      FROM taskbroker_activation WHERE slot = ?
      """
          .formatted(CommitSession.ROW_BYTES);

  /// Payload bytes at which a page ends, however few rows it has (G7).
  private static final int PAGE_BYTES = 4 << 20;

  private final Connection connection;
  private final PostgresRowCodec codec = new PostgresRowCodec();

  PostgresPageReader(Connection connection) {
    this.connection = connection;
  }

  List<Row> load(int[] slots, long key, int limit) throws SQLException {
    List<Row> rows = new ArrayList<>();
    try (PreparedStatement load = connection.prepareStatement(LOAD)) {
      new Binder(load).set(slots).set(key).set(limit).set(limit);
      try (ResultSet result = load.executeQuery()) {
        while (result.next()) {
          rows.add(codec.read(result));
        }
      }
    }
    return rows;
  }

  List<ParkedRow> loadParked(int[] slots, long key, int limit) throws SQLException {
    List<ParkedRow> rows = new ArrayList<>();
    try (PreparedStatement load = connection.prepareStatement(LOAD_PARKED)) {
      new Binder(load).set(slots).set(key).set(limit).set(limit);
      try (ResultSet result = load.executeQuery()) {
        while (result.next()) {
          rows.add(
              new ParkedRow(
                  result.getLong(1),
                  result.getString(2),
                  codec.shared(result.getString(3)),
                  new Origin(
                      codec.shared(result.getString(4)), result.getInt(5), result.getLong(6)),
                  result.getLong(7),
                  result.getBoolean(8)));
        }
      }
    }
    return rows;
  }

  List<Row> rows(int[] slots, List<Long> keys) throws SQLException {
    List<Row> rows = new ArrayList<>();
    try (PreparedStatement read = connection.prepareStatement(BY_KEY)) {
      new Binder(read).set(slots).set(keys.stream().mapToLong(Long::longValue).toArray());
      try (ResultSet result = read.executeQuery()) {
        while (result.next()) {
          rows.add(codec.read(result));
        }
      }
    }
    return rows;
  }

  ParkedPage due(int[] slots, ParkedQuery query) throws SQLException {
    List<Row> rows = new ArrayList<>();
    try (PreparedStatement due = connection.prepareStatement(DUE)) {
      int more = query.limit() == Integer.MAX_VALUE ? query.limit() : query.limit() + 1;
      new Binder(due)
          .set(slots)
          .set(query.application())
          .set(query.afterDue())
          .set(query.afterKey())
          .set(more)
          .set(more)
          .set(query.upTo())
          .set(query.limit())
          .set(PAGE_BYTES);
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

  List<Mark> watermarks(int[] slots) throws SQLException {
    List<Mark> all = new ArrayList<>();
    try (PreparedStatement watermarks = connection.prepareStatement(WATERMARKS)) {
      new Binder(watermarks).set(slots);
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
              new Mark(
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

  List<Tombstone> tombstones(int[] slots, long now) throws SQLException {
    List<Tombstone> all = new ArrayList<>();
    try (PreparedStatement tombstones = connection.prepareStatement(TOMBSTONES)) {
      new Binder(tombstones).set(slots).set(now);
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

  /// The size of the rows of a place.
  long bytes(int slot) throws SQLException {
    try (PreparedStatement bytes = connection.prepareStatement(BYTES)) {
      new Binder(bytes).set(slot);
      try (ResultSet result = bytes.executeQuery()) {
        result.next();
        return result.getLong(1);
      }
    }
  }
}
