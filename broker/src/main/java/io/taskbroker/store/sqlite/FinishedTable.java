package io.taskbroker.store.sqlite;

import io.taskbroker.activation.FinishedTask;
import io.taskbroker.store.FinishedCodec;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;

/// Pages of records of finished tasks. The key of a page is the number of bytes of all pages before
/// it, so that the first and the last key tell the size, and the oldest go by ranges of keys.
/// Confined to the thread of its connection.
final class FinishedTable {
  /// Most bytes of pages that one delete removes: some milliseconds of work.
  private static final long CHUNK = 1 << 20;

  static final String CREATE =
      """
      CREATE TABLE IF NOT EXISTS finished (
        position INTEGER PRIMARY KEY,
        bytes INTEGER NOT NULL,
        kept_until INTEGER NOT NULL,
        id TEXT,
        records BLOB NOT NULL
      ) STRICT\
      """;

  /// Only of records that were asked for, which have pages of their own.
  static final String CREATE_INDEX =
      "CREATE INDEX IF NOT EXISTS finished_id ON finished (id) WHERE id IS NOT NULL";

  private static final String INSERT =
      """
      INSERT INTO finished (position, bytes, kept_until, id, records) VALUES (
        coalesce((SELECT position + bytes FROM finished ORDER BY position DESC LIMIT 1), 0),
        ?, ?, ?, ?)
      """;

  private static final String BOUNDS =
      """
      SELECT position, kept_until, (SELECT max(position) FROM finished)
      FROM finished ORDER BY position LIMIT 1
      """;

  private static final String PURGE =
      "DELETE FROM finished WHERE position < ?1 AND (position < ?2 OR kept_until < ?3)";

  private static final String FIND =
      "SELECT records FROM finished WHERE id = ? ORDER BY position DESC LIMIT 1";

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

  /// Adds records.
  void insert(List<FinishedTask> tasks) throws SQLException {
    for (FinishedCodec.Page page : FinishedCodec.pages(tasks)) {
      insert.setInt(1, page.bytes());
      insert.setLong(2, page.keptUntil());
      insert.setString(3, page.id());
      insert.setBytes(4, page.body());
      insert.executeUpdate();
    }
  }

  /// Deletes the oldest pages that are beyond the limit or out of date, in steps of bounded size:
  /// all that are beyond the limit, and of the others at most `steps` steps.
  ///
  /// @param maxBytes limit on the bytes of all pages
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

  /// The record of a task that was asked for.
  Optional<FinishedTask> find(String id) throws SQLException {
    find.setString(1, id);
    try (ResultSet result = find.executeQuery()) {
      return result.next()
          ? FinishedCodec.records(result.getBytes(1), true).stream()
              .map(FinishedCodec.Placed::task)
              .findFirst()
          : Optional.empty();
    }
  }
}
