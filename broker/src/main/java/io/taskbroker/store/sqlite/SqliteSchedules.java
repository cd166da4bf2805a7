package io.taskbroker.store.sqlite;

import io.taskbroker.activation.ScheduleRow;
import io.taskbroker.activation.ScheduleStep;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Statements on the table of schedules, in the transaction of their connection. Confined to one
/// thread.
final class SqliteSchedules {
  private static final String TABLE =
      """
      CREATE TABLE IF NOT EXISTS schedule (
        name TEXT PRIMARY KEY,
        version INTEGER NOT NULL,
        due_at INTEGER,
        state BLOB NOT NULL
      ) STRICT
      """;

  private static final String INDEX =
      """
      CREATE INDEX IF NOT EXISTS schedule_due ON schedule (due_at, name) WHERE due_at IS NOT NULL
      """;

  private static final String COLUMNS = "SELECT name, version, due_at, state FROM schedule ";

  private final PreparedStatement find;
  private final PreparedStatement page;
  private final PreparedStatement due;
  private final PreparedStatement nextDue;
  private final PreparedStatement count;
  private final PreparedStatement create;
  private final PreparedStatement replace;
  private final PreparedStatement delete;

  SqliteSchedules(Statements statements) throws SQLException {
    find = statements.prepare(COLUMNS + "WHERE name = ?");
    page = statements.prepare(COLUMNS + "WHERE name > ? ORDER BY name LIMIT ?");
    due =
        statements.prepare(
            COLUMNS
                + "WHERE (due_at, name) > (?, ?) AND due_at <= ? ORDER BY due_at, name LIMIT ?");
    nextDue = statements.prepare("SELECT min(due_at) FROM schedule WHERE due_at > ?");
    count = statements.prepare("SELECT count(*) FROM schedule");
    create =
        statements.prepare(
            """
            INSERT INTO schedule (name, version, due_at, state) VALUES (?, ?, ?, ?)
            ON CONFLICT DO NOTHING
            """);
    replace =
        statements.prepare(
            "UPDATE schedule SET version = ?, due_at = ?, state = ? WHERE name = ? AND version ="
                + " ?");
    delete = statements.prepare("DELETE FROM schedule WHERE name = ?");
  }

  /// Creates the table if there is none. It needs no layout version: brokers that do not know it
  /// leave it alone.
  static void createTable(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.executeUpdate(TABLE);
      statement.executeUpdate(INDEX);
    }
  }

  Optional<ScheduleRow> find(String name) throws SQLException {
    find.setString(1, name);
    return read(find, Integer.MAX_VALUE).stream().findFirst();
  }

  List<ScheduleRow> page(String after, int limit, int bytes) throws SQLException {
    page.setString(1, after);
    page.setInt(2, limit);
    return read(page, bytes);
  }

  List<ScheduleRow> due(long afterDue, String afterName, long until, int limit)
      throws SQLException {
    due.setLong(1, afterDue);
    due.setString(2, afterName);
    due.setLong(3, until);
    due.setInt(4, limit);
    return read(due, Integer.MAX_VALUE);
  }

  long nextDue(long time) throws SQLException {
    nextDue.setLong(1, time);
    try (ResultSet result = nextDue.executeQuery()) {
      result.next();
      return SqliteRowCodec.time(result, 1, ScheduleRow.NEVER);
    }
  }

  int count() throws SQLException {
    try (ResultSet result = count.executeQuery()) {
      result.next();
      return result.getInt(1);
    }
  }

  boolean create(ScheduleRow row) throws SQLException {
    create.setString(1, row.name());
    create.setLong(2, row.version());
    SqliteRowCodec.bindTime(create, 3, row.dueAt(), ScheduleRow.NEVER);
    create.setBytes(4, row.state());
    return create.executeUpdate() == 1;
  }

  boolean replace(ScheduleRow row, long version) throws SQLException {
    replace.setLong(1, row.version());
    SqliteRowCodec.bindTime(replace, 2, row.dueAt(), ScheduleRow.NEVER);
    replace.setBytes(3, row.state());
    replace.setString(4, row.name());
    replace.setLong(5, version);
    return replace.executeUpdate() == 1;
  }

  /// Returns false if the schedule is not as the step expects.
  boolean apply(ScheduleStep step) throws SQLException {
    return replace(step.next(), step.version());
  }

  boolean delete(String name) throws SQLException {
    delete.setString(1, name);
    return delete.executeUpdate() == 1;
  }

  /// Copies the schedules of a damaged database, up to the first that cannot be read.
  void copyFrom(Connection damaged) throws SQLException {
    try (Statement statement = damaged.createStatement();
        ResultSet result = statement.executeQuery(COLUMNS + "NOT INDEXED")) {
      for (ScheduleRow row = next(result); row != null; row = next(result)) {
        boolean _ = create(row);
      }
    }
  }

  private static @Nullable ScheduleRow next(ResultSet damaged) {
    try {
      return damaged.next() ? row(damaged) : null;
    } catch (SQLException _) {
      return null;
    }
  }

  /// Reads rows until their states have `bytes` bytes, at least one if there is any.
  private static List<ScheduleRow> read(PreparedStatement query, int bytes) throws SQLException {
    List<ScheduleRow> rows = new ArrayList<>();
    long read = 0;
    try (ResultSet result = query.executeQuery()) {
      while (read < bytes && result.next()) {
        ScheduleRow row = row(result);
        read += row.state().length;
        rows.add(row);
      }
    }
    return rows;
  }

  private static ScheduleRow row(ResultSet result) throws SQLException {
    return new ScheduleRow(
        result.getString(1),
        result.getLong(2),
        SqliteRowCodec.time(result, 3, ScheduleRow.NEVER),
        result.getBytes(4));
  }
}
