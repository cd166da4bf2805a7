package io.taskbroker.store.sqlite;

import io.taskbroker.activation.Ids;
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
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Paged reader of rows. An index leads to the start of each page: no page reads the rows before it
/// (H15).
final class SqlitePageReader {
  static final String LOAD =
      """
      SELECT %s FROM activation NOT INDEXED
      WHERE key > ? AND parked_until IS NULL ORDER BY key LIMIT ?
      """
          .formatted(SqliteRowCodec.COLUMNS);

  static final String LOAD_PARKED =
      """
      SELECT key, id, application, topic, partition_number, record_offset, parked_until,
        derived OR at_most_once, priority, namespace, taskname, received_at
      FROM activation NOT INDEXED
      WHERE key > ? AND parked_until IS NOT NULL ORDER BY key LIMIT ?
      """;

  static final String BY_KEY =
      "SELECT %s FROM activation NOT INDEXED WHERE key = ?".formatted(SqliteRowCodec.COLUMNS);

  /// Remaining rows with the due time at which the previous page ended. A single condition
  /// `(parked_until, key) > (?, ?)` would scan all rows of that time again for every page.
  static final String DUE_THEN =
      """
      SELECT %s FROM activation INDEXED BY activation_parked
      WHERE application = ? AND priority = ? AND parked_until = ? AND key > ? ORDER BY key LIMIT ?
      """
          .formatted(SqliteRowCodec.COLUMNS);

  static final String DUE_LATER =
      """
      SELECT %s FROM activation INDEXED BY activation_parked
      WHERE application = ? AND priority = ? AND parked_until > ?
      ORDER BY parked_until, key LIMIT ?
      """
          .formatted(SqliteRowCodec.COLUMNS);

  private static final String WATERMARKS =
      """
      SELECT cluster, grp, topic_id, topic, partition_number, next, committed,
        last_offset, last_epoch, last_timestamp
      FROM watermark
      """;

  private static final String TOMBSTONES =
      """
      SELECT high, low, max(until) AS until FROM
        (SELECT high, low, until FROM tombstone WHERE until > ? ORDER BY until DESC LIMIT ?)
      GROUP BY high, low ORDER BY until
      """;

  private final SqliteRowCodec codec;
  private final PreparedStatement load;
  private final PreparedStatement loadParked;
  private final PreparedStatement byKey;
  private final PreparedStatement dueThen;
  private final PreparedStatement dueLater;
  private final PreparedStatement watermarks;
  private final PreparedStatement tombstones;

  SqlitePageReader(Statements statements, SqliteRowCodec codec) throws SQLException {
    this.codec = codec;
    load = statements.prepare(LOAD);
    loadParked = statements.prepare(LOAD_PARKED);
    byKey = statements.prepare(BY_KEY);
    dueThen = statements.prepare(DUE_THEN);
    dueLater = statements.prepare(DUE_LATER);
    watermarks = statements.prepare(WATERMARKS);
    tombstones = statements.prepare(TOMBSTONES);
  }

  List<Row> load(long key, int limit) throws SQLException {
    load.setLong(1, key);
    load.setInt(2, limit);
    List<Row> rows = new ArrayList<>();
    try (ResultSet result = load.executeQuery()) {
      while (result.next()) {
        rows.add(codec.read(result));
      }
    }
    return rows;
  }

  /// @param zones where what the rows have is noted
  List<ParkedRow> loadParked(long key, int limit, ZoneMap zones) throws SQLException {
    loadParked.setLong(1, key);
    loadParked.setInt(2, limit);
    List<ParkedRow> rows = new ArrayList<>();
    try (ResultSet result = loadParked.executeQuery()) {
      while (result.next()) {
        var row =
            new ParkedRow(
                result.getLong(1),
                result.getString(2),
                codec.names.shared(result.getString(3)),
                new Origin(
                    codec.names.shared(result.getString(4)), result.getInt(5), result.getLong(6)),
                result.getLong(7),
                result.getInt(8) != 0,
                result.getInt(9));
        rows.add(row);
        zones.addParked(
            row,
            codec.names.shared(result.getString(10)),
            codec.names.shared(result.getString(11)),
            result.getLong(12));
      }
    }
    return rows;
  }

  List<Row> rows(List<Long> keys) throws SQLException {
    List<Row> rows = new ArrayList<>();
    for (long key : keys.stream().sorted().distinct().toList()) {
      byKey.setLong(1, key);
      try (ResultSet result = byKey.executeQuery()) {
        if (result.next()) {
          rows.add(codec.read(result));
        }
      }
    }
    return rows;
  }

  ParkedPage due(ParkedQuery query) throws SQLException {
    List<Row> rows = new ArrayList<>();
    dueThen.setString(1, query.application());
    dueThen.setInt(2, query.priority());
    dueThen.setLong(3, query.afterDue());
    dueThen.setLong(4, query.afterKey());
    dueThen.setLong(5, query.limit() + 1L);
    long nextDue = collect(dueThen, query, rows);
    if (nextDue == Row.NONE) {
      dueLater.setString(1, query.application());
      dueLater.setInt(2, query.priority());
      dueLater.setLong(3, query.afterDue());
      dueLater.setLong(4, query.limit() + 1L - rows.size());
      nextDue = collect(dueLater, query, rows);
    }
    return new ParkedPage(rows, nextDue);
  }

  /// Adds rows to the page until it is full.
  ///
  /// @return due time of the first row after the page; [Row#NONE] if the statement is exhausted
  private long collect(PreparedStatement statement, ParkedQuery query, List<Row> page)
      throws SQLException {
    long bytes = 0;
    try (ResultSet result = statement.executeQuery()) {
      while (result.next()) {
        Row row = codec.read(result);
        if (page.size() == query.limit()
            || row.parkedUntil() > query.upTo()
            || bytes >= StoreLimits.PAGE_BYTES) {
          return row.parkedUntil();
        }
        page.add(row);
        bytes += row.activation().payload().length;
      }
    }
    return Row.NONE;
  }

  List<Watermark> watermarks() throws SQLException {
    List<Watermark> all = new ArrayList<>();
    try (ResultSet result = watermarks.executeQuery()) {
      while (result.next()) {
        SourcePartition partition =
            new SourcePartition(
                result.getString(1),
                result.getString(2),
                result.getString(3),
                result.getString(4),
                result.getInt(5));
        all.add(
            new Watermark(
                partition,
                result.getLong(6),
                SqliteRowCodec.time(result, 7, Watermark.NONE),
                identity(result)));
      }
    }
    return all;
  }

  private static @Nullable RecordIdentity identity(ResultSet result) throws SQLException {
    long offset = SqliteRowCodec.time(result, 8, Watermark.NONE);
    return offset == Watermark.NONE
        ? null
        : new RecordIdentity(offset, result.getInt(9), result.getLong(10));
  }

  List<Tombstone> tombstones(long now) throws SQLException {
    tombstones.setLong(1, now);
    tombstones.setInt(2, Ids.MOST_REMEMBERED);
    List<Tombstone> all = new ArrayList<>();
    try (ResultSet result = tombstones.executeQuery()) {
      while (result.next()) {
        all.add(
            new Tombstone(
                new Fingerprint(result.getLong(1), result.getLong(2)), result.getLong(3)));
      }
    }
    return all;
  }
}
