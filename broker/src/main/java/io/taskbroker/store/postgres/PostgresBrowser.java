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
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;

/// Browser of the rows of all brokers on one Postgres. One connection, read-only, with a statement
/// timeout. Ids have an index; other searches read the table in windows of its primary key, until
/// the page is full or its time is over. Thread-safe: one lock.
public final class PostgresBrowser implements RowBrowser {
  private static final int SOCKET_SECONDS = 10;
  private static final int FLEET_MILLIS = 2_000;
  private static final int FIRST_WINDOW = 4_096;
  private static final int LARGEST_WINDOW = 1 << 20;
  private static final long SHORT_NANOS = 20_000_000;
  private static final String CANCELLED = "57014";

  private static final String SESSION =
      """
      SET default_transaction_read_only = on;
      SET enable_seqscan = on;
      SET plan_cache_mode = force_custom_plan
      """;

  private static final String COLUMNS =
      PostgresRowCodec.COLUMNS.replace("t.activation", "''::bytea")
          + ", octet_length(t.activation), t.partition_id";

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
      return query.id().isPresent() ? read(reading, query, null) : walk(reading, query, end);
    } catch (SQLException e) {
      throw failed(e, query.within(), "The search", "search rows");
    }
  }

  /// Reads window by window, until the page is full or its time is over.
  private Page walk(Connection reading, Query query, long end) throws SQLException {
    List<Found> found = new ArrayList<>();
    Query rest = query;
    int size = FIRST_WINDOW;
    while (true) {
      long started = System.nanoTime();
      if (started - end > 0) {
        return new Page(found, Optional.of(rest.after()));
      }
      Position last = last(reading, rest.after(), size);
      Page page = read(reading, rest, last);
      found.addAll(page.rows());
      if (found.size() == query.limit()) {
        return new Page(found, Optional.of(found.getLast().position()));
      }
      if (last == null) {
        return new Page(found, Optional.empty());
      }
      rest = query.from(last, query.limit() - found.size());
      long nanos = System.nanoTime() - started;
      size = nanos < SHORT_NANOS ? Math.min(2 * size, LARGEST_WINDOW) : size;
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

  private Page read(Connection reading, Query query, @Nullable Position last) throws SQLException {
    var values = new ArrayList<Object>();
    String sql = sql(query, last, values);
    try (PreparedStatement select = reading.prepareStatement(sql)) {
      for (int i = 0; i < values.size(); i++) {
        select.setObject(i + 1, values.get(i));
      }
      return read(select, query);
    }
  }

  private static String sql(Query query, @Nullable Position last, List<Object> values) {
    var conditions = new StringJoiner(" AND ");
    if (query.after().equals(Position.START)) {
      conditions.add("true");
    } else {
      conditions.add("(t.partition_id, t.key) > (?, ?)");
      values.add(query.after().partitionId());
      values.add(query.after().key());
    }
    if (last != null) {
      conditions.add("(t.partition_id, t.key) <= (?, ?)");
      values.add(last.partitionId());
      values.add(last.key());
    }
    equal(conditions, values, "id", query.id());
    equal(conditions, values, "application", query.application());
    equal(conditions, values, "namespace", query.namespace());
    equal(conditions, values, "taskname", query.taskname());
    equal(conditions, values, "status", query.status().map(status -> status.storedName()));
    query
        .priority()
        .ifPresent(priority -> {
          conditions.add("t.priority = ?");
          values.add(priority);
        });
    query
        .parked()
        .ifPresent(parked ->
            conditions.add(parked ? "t.parked_until IS NOT NULL" : "t.parked_until IS NULL"));
    if (query.receivedFrom() != Long.MIN_VALUE) {
      conditions.add("t.received_at >= to_timestamp(? / 1000::float8)");
      values.add(query.receivedFrom());
    }
    if (query.receivedTo() != Long.MAX_VALUE) {
      conditions.add("t.received_at < to_timestamp(? / 1000::float8)");
      values.add(query.receivedTo());
    }
    if (query.attempts() > 0) {
      conditions.add("t.processing_attempts >= ?");
      values.add(query.attempts());
    }
    values.add(query.limit());
    // An order by the primary key would read the whole table for one id.
    return "SELECT %s FROM taskbroker_activation t WHERE %s ORDER BY %s LIMIT ?"
        .formatted(
            COLUMNS,
            conditions,
            query.id().isPresent() ? "t.partition_id + 0, t.key" : "t.partition_id, t.key");
  }

  private static void equal(
      StringJoiner conditions, List<Object> values, String column, Optional<String> value) {
    value.ifPresent(it -> {
      conditions.add("t." + column + " = ?");
      values.add(it);
    });
  }

  private Page read(PreparedStatement select, Query query) throws SQLException {
    List<Found> found = new ArrayList<>();
    try (ResultSet result = select.executeQuery()) {
      while (result.next()) {
        var row = codec.read(result);
        found.add(new Found(new Position(result.getInt(30), row.key()), row, result.getLong(29)));
      }
    }
    boolean full = found.size() == query.limit();
    return new Page(found, full ? Optional.of(found.getLast().position()) : Optional.empty());
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
