package io.taskbroker.store.sqlite;

import io.taskbroker.activation.FinishedTask;
import io.taskbroker.activation.FinishedTask.Outcome;
import io.taskbroker.activation.Row;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Records of finished tasks. The key of a record is the number of bytes of all records before it,
/// so that the first and the last key tell the size, and the oldest go by ranges of keys. Confined
/// to the thread of its connection.
final class FinishedTable {
  /// Most bytes of records that one delete removes: some milliseconds of work.
  private static final long CHUNK = 1 << 20;

  static final String CREATE =
      """
      CREATE TABLE IF NOT EXISTS finished (
        position INTEGER PRIMARY KEY,
        bytes INTEGER NOT NULL,
        ended_at INTEGER NOT NULL,
        kept_until INTEGER NOT NULL,
        outcome TEXT NOT NULL,
        asked INTEGER NOT NULL,
        id TEXT NOT NULL,
        first_id TEXT,
        application TEXT NOT NULL,
        namespace TEXT NOT NULL,
        taskname TEXT NOT NULL,
        topic TEXT NOT NULL,
        partition_number INTEGER NOT NULL,
        record_offset INTEGER NOT NULL,
        received_at INTEGER NOT NULL,
        delivered_at INTEGER,
        deliveries INTEGER NOT NULL,
        worker TEXT,
        message TEXT,
        history BLOB,
        result BLOB
      ) STRICT\
      """;

  /// Only of records that were asked for: others cost no second insert.
  static final String CREATE_INDEX =
      "CREATE INDEX IF NOT EXISTS finished_asked ON finished (id) WHERE asked = 1";

  /// Takes from the row what the row has, and writes nothing if there is no row. Names are bounded:
  /// Kafka's may be long.
  private static final String INSERT =
      """
      INSERT INTO finished SELECT
        coalesce((SELECT position + bytes FROM finished ORDER BY position DESC LIMIT 1), 0),
        ?2, ?3, ?4, ?5, ?6, substr(id, 1, 512), ?7, substr(application, 1, 255),
        substr(namespace, 1, 255), substr(taskname, 1, 255), topic, partition_number,
        record_offset, received_at, ?8, ?9, ?10, ?11, ?12, ?13
      FROM activation WHERE key = ?1
      """;

  private static final String BOUNDS =
      """
      SELECT position, kept_until, (SELECT max(position) FROM finished)
      FROM finished ORDER BY position LIMIT 1
      """;

  private static final String PURGE =
      "DELETE FROM finished WHERE position < ?1 AND (position < ?2 OR kept_until < ?3)";

  private static final String FIND =
      """
      SELECT outcome, delivered_at, ended_at, kept_until, deliveries, worker, message, result
      FROM finished WHERE asked = 1 AND id = ? ORDER BY position DESC LIMIT 1
      """;

  private final PreparedStatement insert;
  private final PreparedStatement bounds;
  private final PreparedStatement purge;
  private final PreparedStatement find;

  FinishedTable(Statements statements) throws SQLException {
    insert = statements.prepare(INSERT);
    bounds = statements.prepare(BOUNDS);
    purge = statements.prepare(PURGE);
    find = statements.prepare(FIND);
  }

  /// Adds the record of the task with this row.
  void insert(long key, FinishedTask task) throws SQLException {
    insert.setLong(1, key);
    insert.setInt(2, task.bytes());
    insert.setLong(3, task.endedAt());
    insert.setLong(4, task.keptUntil());
    insert.setString(5, task.outcome().name());
    insert.setInt(6, SqliteRowCodec.flag(task.asked()));
    insert.setString(7, orNull(task.firstId()));
    SqliteRowCodec.bindTime(insert, 8, task.deliveredAt(), Row.NONE);
    insert.setInt(9, task.deliveries());
    insert.setString(10, orNull(task.worker()));
    insert.setString(11, orNull(task.message()));
    insert.setBytes(12, task.history());
    insert.setBytes(13, task.result());
    insert.executeUpdate();
  }

  private static @Nullable String orNull(String text) {
    return text.isEmpty() ? null : text;
  }

  /// Deletes the oldest records that are beyond the limit or out of date, in steps of bounded size:
  /// all that are beyond the limit, and of the others at most `steps` steps.
  ///
  /// @param maxBytes limit on the bytes of all records
  void purge(long now, long maxBytes, int steps) throws SQLException {
    for (int step = 0; ; step++) {
      long first;
      long keptUntil;
      long last;
      try (ResultSet result = bounds.executeQuery()) {
        if (!result.next()) {
          return;
        }
        first = result.getLong(1);
        keptUntil = result.getLong(2);
        last = result.getLong(3);
      }
      boolean large = last - first > maxBytes;
      if (!large && (keptUntil >= now || step >= steps)) {
        return;
      }
      purge.setLong(1, first + CHUNK);
      purge.setLong(2, last - maxBytes);
      purge.setLong(3, now);
      purge.executeUpdate();
    }
  }

  /// The record of a task that was asked for, without its history.
  Optional<FinishedTask> find(String id) throws SQLException {
    find.setString(1, id);
    try (ResultSet result = find.executeQuery()) {
      if (!result.next()) {
        return Optional.empty();
      }
      String worker = result.getString(6);
      String message = result.getString(7);
      return Optional.of(
          new FinishedTask(
              Outcome.valueOf(result.getString(1)),
              "",
              SqliteRowCodec.time(result, 2, Row.NONE),
              result.getLong(3),
              result.getLong(4),
              result.getInt(5),
              worker == null ? "" : worker,
              message == null ? "" : message,
              result.getBytes(8),
              new byte[0],
              true));
    }
  }
}
