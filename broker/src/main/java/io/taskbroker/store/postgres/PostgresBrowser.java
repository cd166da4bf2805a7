package io.taskbroker.store.postgres;

import io.taskbroker.store.FinishedPage;
import io.taskbroker.store.FinishedQuery;
import io.taskbroker.store.Fleet;
import io.taskbroker.store.RowBrowser;
import io.taskbroker.store.RowGroups;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Browser of the rows of all brokers on one Postgres. One connection, read-only, with a statement
/// timeout. Thread-safe: one lock.
public final class PostgresBrowser implements RowBrowser {
  private static final int SOCKET_SECONDS = 10;
  private static final int FLEET_MILLIS = 2_000;
  private static final int FIRST_WINDOW = 4_096;
  private static final int LARGEST_WINDOW = 1 << 20;
  private static final long SHORT_NANOS = 20_000_000;
  private static final String CANCELLED = "57014";

  /// Without statistics the planner would collect and sort a whole partition for each window of the
  /// primary key.
  static final String SESSION =
      """
      SET default_transaction_read_only = on;
      SET enable_seqscan = on;
      SET enable_bitmapscan = off;
      SET enable_sort = off;
      SET plan_cache_mode = force_custom_plan
      """;

  private static final String WINDOW =
      """
      SELECT partition_id, key FROM taskbroker_activation WHERE (partition_id, key) > (?, ?)
      ORDER BY partition_id, key OFFSET ? LIMIT 1
      """;

  private static final String PAYLOAD =
      "SELECT activation FROM taskbroker_activation WHERE partition_id = ? AND key = ?";

  private static final String GROUPS_AFTER =
      """
      SELECT application, namespace, taskname, count(*), count(parked_until),
        (extract(epoch FROM min(received_at)) * 1000)::bigint
      FROM taskbroker_activation WHERE (partition_id, key) > (?, ?) %sGROUP BY 1, 2, 3
      """;

  private static final String LAST_GROUPS = GROUPS_AFTER.formatted("");
  private static final String GROUPS = GROUPS_AFTER.formatted("AND (partition_id, key) <= (?, ?) ");

  private final Server server;
  private final String database;
  private final PostgresRowCodec codec = new PostgresRowCodec();
  private @Nullable Connection connection;
  private boolean closed;

  /// @param database its name
  PostgresBrowser(Server server, String database) {
    this.server = server;
    this.database = database;
  }

  @Override
  public synchronized Page browse(Query query) {
    long end = System.nanoTime() + query.within().toNanos();
    try {
      Connection reading = connected();
      limit(reading, query.within());
      return new PostgresSearch(reading, codec, query).page(end);
    } catch (SQLException e) {
      throw failed(e, query.within(), "The search", "search rows");
    }
  }

  /// The last position of the next `size` rows; null if there are fewer.
  private static @Nullable Position last(Connection reading, Position after, int size)
      throws SQLException {
    try (PreparedStatement window = reading.prepareStatement(WINDOW)) {
      window.setInt(1, after.partitionId());
      window.setLong(2, after.key());
      window.setInt(3, size - 1);
      try (ResultSet result = window.executeQuery()) {
        return result.next() ? new Position(result.getInt(1), result.getLong(2)) : null;
      }
    }
  }

  @Override
  public synchronized RowGroups groups(Duration within) {
    long end = System.nanoTime() + within.toNanos();
    try {
      Connection reading = connected();
      limit(reading, within);
      var sum = new RowGroups.Sum();
      int size = FIRST_WINDOW;
      Position reached = Position.START;
      while (true) {
        long started = System.nanoTime();
        if (started - end > 0) {
          return sum.result(false);
        }
        Position last = last(reading, reached, size);
        group(reading, reached, last, sum);
        if (last == null) {
          return sum.result(true);
        }
        reached = last;
        size =
            System.nanoTime() - started < SHORT_NANOS ? Math.min(2 * size, LARGEST_WINDOW) : size;
      }
    } catch (SQLException e) {
      throw failed(e, within, "The count of the rows", "count rows");
    }
  }

  private static void group(
      Connection reading, Position after, @Nullable Position last, RowGroups.Sum sum)
      throws SQLException {
    try (PreparedStatement group = reading.prepareStatement(last == null ? LAST_GROUPS : GROUPS)) {
      var binder = new Binder(group).set(after.partitionId()).set(after.key());
      if (last != null) {
        binder.set(last.partitionId()).set(last.key());
      }
      try (ResultSet result = group.executeQuery()) {
        while (result.next()) {
          sum.add(
              new RowGroups.Group(
                  result.getString(1),
                  result.getString(2),
                  result.getString(3),
                  result.getLong(4),
                  result.getLong(5),
                  result.getLong(6)));
        }
      }
    }
  }

  @Override
  public synchronized Optional<Fleet> fleet() {
    try {
      Connection reading = connected();
      limit(reading, Duration.ofMillis(FLEET_MILLIS));
      return Optional.of(new FleetReader(reading, database).read());
    } catch (SQLException e) {
      disconnect();
      throw PostgresErrors.translate(server.toString(), "read the brokers", e);
    }
  }

  @Override
  public synchronized Optional<byte[]> payload(Position position) {
    try (PreparedStatement payload = connected().prepareStatement(PAYLOAD)) {
      payload.setInt(1, position.partitionId());
      payload.setLong(2, position.key());
      try (ResultSet result = payload.executeQuery()) {
        return result.next() ? Optional.of(result.getBytes(1)) : Optional.empty();
      }
    } catch (SQLException e) {
      disconnect();
      throw PostgresErrors.translate(server.toString(), "read a payload", e);
    }
  }

  @Override
  public synchronized FinishedPage finished(FinishedQuery query) {
    try {
      Connection reading = connected();
      limit(reading, query.within());
      return PostgresFinished.read(reading, query);
    } catch (SQLException e) {
      throw failed(e, query.within(), "The search", "search finished tasks");
    }
  }

  private static void limit(Connection reading, Duration within) throws SQLException {
    try (Statement limit = reading.createStatement()) {
      limit.execute("SET statement_timeout = " + Math.max(1, within.toMillis()));
    }
  }

  /// @param what subject of the sentence about a timeout
  /// @param operation what could not be done otherwise
  private RuntimeException failed(SQLException e, Duration within, String what, String operation) {
    if (CANCELLED.equals(e.getSQLState())) {
      return new SearchTimeout(
          what
              + " took longer than "
              + within.toMillis()
              + " ms: the database is slow, or its cache is cold; try again");
    }
    disconnect();
    return PostgresErrors.translate(server.toString(), operation, e);
  }

  private Connection connected() throws SQLException {
    if (closed) {
      throw new SQLException("the broker is stopping");
    }
    Connection current = connection;
    if (current == null) {
      current = server.connect("taskbroker-admin", SOCKET_SECONDS);
      connection = current;
      try (Statement statement = current.createStatement()) {
        statement.execute(SESSION);
      }
    }
    return current;
  }

  private void disconnect() {
    Connection current = connection;
    connection = null;
    if (current != null) {
      Server.close(current);
    }
  }

  @Override
  public synchronized void close() {
    closed = true;
    disconnect();
  }
}
