package io.taskbroker.store.postgres;

import io.taskbroker.store.RowBrowser;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;

/// Browser of the rows of all brokers on one Postgres. One connection, read-only, with a statement
/// timeout: a search that takes longer fails, and says so. Thread-safe: one lock.
public final class PostgresBrowser implements RowBrowser {
  private static final int SOCKET_SECONDS = 10;
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

  private static final String PAYLOAD =
      "SELECT activation FROM taskbroker_activation WHERE partition_id = ? AND key = ?";

  private final Server server;
  private final PostgresRowCodec codec = new PostgresRowCodec();
  private @Nullable Connection connection;
  private boolean closed;

  PostgresBrowser(Server server) {
    this.server = server;
  }

  @Override
  public synchronized Page browse(Query query) {
    var values = new ArrayList<Object>();
    String sql = sql(query, values);
    try {
      Connection reading = connected();
      try (Statement limit = reading.createStatement()) {
        limit.execute("SET statement_timeout = " + Math.max(1, query.within().toMillis()));
      }
      try (PreparedStatement select = reading.prepareStatement(sql)) {
        for (int i = 0; i < values.size(); i++) {
          select.setObject(i + 1, values.get(i));
        }
        return read(select, query);
      }
    } catch (SQLException e) {
      if (CANCELLED.equals(e.getSQLState())) {
        throw new SearchTimeout(
            "The search took longer than "
                + query.within().toMillis()
                + " ms: narrow it, by id, application or age");
      }
      disconnect();
      throw PostgresErrors.translate(server.toString(), "search rows", e);
    }
  }

  private static String sql(Query query, List<Object> values) {
    var conditions = new StringJoiner(" AND ");
    if (query.after().equals(Position.START)) {
      conditions.add("true");
    } else {
      conditions.add("(t.partition_id, t.key) > (?, ?)");
      values.add(query.after().partitionId());
      values.add(query.after().key());
    }
    equal(conditions, values, "id", query.id());
    equal(conditions, values, "application", query.application());
    equal(conditions, values, "namespace", query.namespace());
    equal(conditions, values, "taskname", query.taskname());
    equal(conditions, values, "status", query.status().map(status -> status.storedName()));
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
        found.add(new Found(new Position(result.getInt(29), row.key()), row, result.getLong(28)));
      }
    }
    boolean full = found.size() == query.limit();
    return new Page(found, full ? Optional.of(found.getLast().position()) : Optional.empty());
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
