package io.taskbroker.store.postgres;

import io.taskbroker.activation.ScheduleRow;
import io.taskbroker.store.ScheduleStore;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import javax.sql.DataSource;

/// Schedules of a database, which all of its brokers read and write. Immutable, and so thread-safe.
final class PostgresSchedules implements ScheduleStore {
  private static final String COLUMNS =
      "SELECT name, version, due_at, state FROM taskbroker_schedule ";

  private final DataSource pool;
  private final String server;

  /// @param server its name, for errors
  PostgresSchedules(DataSource pool, String server) {
    this.pool = pool;
    this.server = server;
  }

  @Override
  public Optional<ScheduleRow> find(String name) {
    return query("read a schedule", COLUMNS + "WHERE name = ?", binder -> binder.set(name), 1)
        .stream()
        .findFirst();
  }

  @Override
  public List<ScheduleRow> page(String after, int limit, int bytes) {
    return query(
        "list the schedules",
        COLUMNS + "WHERE name > ? ORDER BY name LIMIT ?",
        binder -> binder.set(after).set(limit),
        bytes);
  }

  @Override
  public List<ScheduleRow> due(long afterDue, String afterName, long until, int limit) {
    return query(
        "read due schedules",
        COLUMNS + "WHERE (due_at, name) > (?, ?) AND due_at <= ? ORDER BY due_at, name LIMIT ?",
        binder -> binder.set(afterDue).set(afterName).set(until).set(limit),
        Integer.MAX_VALUE);
  }

  @Override
  public long nextDue(long time) {
    return with(
        "find the next due schedule",
        "SELECT coalesce(min(due_at), ?) FROM taskbroker_schedule WHERE due_at > ?",
        binder -> binder.set(ScheduleRow.NEVER).set(time),
        PostgresSchedules::number);
  }

  @Override
  public int count() {
    return with(
        "count the schedules",
        "SELECT count(*) FROM taskbroker_schedule",
        _ -> {},
        result -> (int) number(result));
  }

  @Override
  public boolean create(ScheduleRow row) {
    return changes(
        "create a schedule",
        """
        INSERT INTO taskbroker_schedule (name, version, due_at, state)
        VALUES (?, ?, nullif(?, %d), ?) ON CONFLICT DO NOTHING RETURNING 1
        """
            .formatted(ScheduleRow.NEVER),
        binder -> binder.set(row.name()).set(row.version()).set(row.dueAt()).set(row.state()));
  }

  @Override
  public boolean replace(ScheduleRow row, long version) {
    return changes(
        "replace a schedule",
        """
        UPDATE taskbroker_schedule SET version = ?, due_at = nullif(?, %d), state = ?
        WHERE name = ? AND version = ? RETURNING 1
        """
            .formatted(ScheduleRow.NEVER),
        binder ->
            binder
                .set(row.version())
                .set(row.dueAt())
                .set(row.state())
                .set(row.name())
                .set(version));
  }

  @Override
  public boolean delete(String name) {
    return changes(
        "delete a schedule",
        "DELETE FROM taskbroker_schedule WHERE name = ? RETURNING 1",
        binder -> binder.set(name));
  }

  /// Whether the statement returns a row.
  private boolean changes(String operation, String sql, Binding binding) {
    return with(operation, sql, binding, ResultSet::next);
  }

  private static long number(ResultSet result) throws SQLException {
    result.next();
    return result.getLong(1);
  }

  /// Reads rows until their states have `bytes` bytes, at least one if there is any.
  private List<ScheduleRow> query(String operation, String sql, Binding binding, int bytes) {
    return with(
        operation,
        sql,
        binding,
        result -> {
          List<ScheduleRow> rows = new ArrayList<>();
          long read = 0;
          while (read < bytes && result.next()) {
            byte[] state = result.getBytes(4);
            read += state.length;
            rows.add(
                new ScheduleRow(
                    result.getString(1),
                    result.getLong(2),
                    PostgresRowCodec.millis(result, 3, ScheduleRow.NEVER),
                    state));
          }
          return rows;
        });
  }

  private <T> T with(String operation, String sql, Binding binding, Answer<T> answer) {
    try (Connection connection = pool.getConnection();
        var statement = connection.prepareStatement(sql)) {
      binding.bind(new Binder(statement));
      try (ResultSet result = statement.executeQuery()) {
        return answer.of(result);
      }
    } catch (SQLException e) {
      throw PostgresErrors.translate(server, operation, e);
    }
  }

  private interface Binding {
    void bind(Binder binder) throws SQLException;
  }

  private interface Answer<T> {
    T of(ResultSet result) throws SQLException;
  }
}
