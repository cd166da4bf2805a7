package io.taskbroker.store.sqlite;

import io.taskbroker.activation.Status;
import io.taskbroker.store.OffsetLookup;
import io.taskbroker.store.StoreException;
import io.taskbroker.store.StoreException.Kind;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.OptionalLong;
import org.sqlite.SQLiteConfig;

/// Read-only connection to the file of a SQLite store. One thread.
public final class SqliteOffsetLookup implements OffsetLookup {
  private static final int BUSY_MILLISECONDS = 5_000;
  private static final String NEXT =
      """
      SELECT max(next) FROM watermark
      WHERE topic = ? AND partition_number = ? AND grp = ? AND topic_id = ?
      """;
  private static final String TASKS =
      """
      SELECT record_offset, id, status, parked_until, delay_until, forward_topic FROM activation
      WHERE record_offset >= ? AND record_offset < ? AND topic = ? AND partition_number = ?
      """;

  private final Path file;
  private final Connection connection;

  private SqliteOffsetLookup(Path file, Connection connection) {
    this.file = file;
    this.connection = connection;
  }

  /// @throws StoreException if the file does not exist, or is no store of this version
  public static SqliteOffsetLookup open(Path file) {
    if (!Files.exists(file)) {
      throw new StoreException(
          Kind.FATAL,
          "There is no store at %s: run this on the broker's machine, with its configuration"
              .formatted(file),
          null);
    }
    var config = new SQLiteConfig();
    config.setReadOnly(true);
    config.setBusyTimeout(BUSY_MILLISECONDS);
    try {
      Connection connection = config.createConnection("jdbc:sqlite:" + file);
      try {
        if (SqliteSchema.examine(connection, file) != SqliteSchema.Content.STORE) {
          throw new StoreException(
              Kind.FATAL,
              "%s is no store of this version: start the broker once to upgrade it".formatted(file),
              null);
        }
        connection.setAutoCommit(false);
        return new SqliteOffsetLookup(file, connection);
      } catch (SQLException | RuntimeException e) {
        connection.close();
        throw e;
      }
    } catch (SQLException e) {
      throw failure(file, e);
    }
  }

  private static StoreException failure(Path file, SQLException e) {
    return new StoreException(
        Kind.FATAL, "The store %s cannot be read: %s".formatted(file, e.getMessage()), e);
  }

  @Override
  public Held read(String group, String topic, String topicId, int partition, long from, long to) {
    try {
      try {
        String name = name();
        OptionalLong next = next(group, topic, topicId, partition);
        var tasks = new ArrayList<Task>();
        try (PreparedStatement query = connection.prepareStatement(TASKS)) {
          query.setLong(1, from);
          query.setLong(2, to);
          query.setString(3, topic);
          query.setInt(4, partition);
          try (ResultSet rows = query.executeQuery()) {
            while (rows.next()) {
              String forward = rows.getString(6);
              boolean parked = rows.getObject(4) != null;
              tasks.add(
                  new Task(
                      rows.getLong(1),
                      rows.getString(2),
                      Status.ofStoredName(rows.getString(3)),
                      parked,
                      rows.getLong(5),
                      forward == null ? "" : forward));
            }
          }
        }
        return new Held(name, next, tasks);
      } finally {
        connection.rollback(); // ends the snapshot
      }
    } catch (SQLException e) {
      throw failure(file, e);
    }
  }

  private String name() throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("SELECT name FROM writer")) {
      return row.next() ? row.getString(1) : "";
    }
  }

  private OptionalLong next(String group, String topic, String topicId, int partition)
      throws SQLException {
    try (PreparedStatement query = connection.prepareStatement(NEXT)) {
      query.setString(1, topic);
      query.setInt(2, partition);
      query.setString(3, group);
      query.setString(4, topicId);
      try (ResultSet row = query.executeQuery()) {
        long next = row.next() ? row.getLong(1) : 0;
        return row.wasNull() ? OptionalLong.empty() : OptionalLong.of(next);
      }
    }
  }

  @Override
  public void close() {
    try {
      connection.close();
    } catch (SQLException _) {
      // A read-only connection has nothing to lose.
    }
  }
}
