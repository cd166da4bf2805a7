package io.taskbroker.store.postgres;

import io.taskbroker.activation.Status;
import io.taskbroker.store.OffsetLookup;
import io.taskbroker.store.StoreException;
import io.taskbroker.store.StoreException.Kind;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.util.ArrayList;
import java.util.OptionalLong;

/// Read-only connection to the database of a Postgres store. One thread.
public final class PostgresOffsetLookup implements OffsetLookup {
  private static final String TABLE = "taskbroker_activation";
  private static final int SOCKET_SECONDS = 60;
  private static final String NEXT =
      """
      SELECT (SELECT name::text FROM taskbroker_store), max(w.next)
      FROM taskbroker_owned_partition p JOIN taskbroker_watermark w USING (partition_id)
      WHERE p.topic = ? AND p.partition = ? AND w.consumer_group = ? AND w.topic_id = ?
      """;
  private static final String TASKS =
      """
      SELECT t.kafka_offset, t.id, t.status, t.parked_until IS NOT NULL, t.delay_until,
        coalesce(t.forward_topic, '')
      FROM taskbroker_owned_partition p JOIN taskbroker_activation t USING (partition_id)
      WHERE p.topic = ? AND p.partition = ? AND t.kafka_offset >= ? AND t.kafka_offset < ?
      """;

  private final Server server;
  private final Connection connection;

  private PostgresOffsetLookup(Server server, Connection connection) {
    this.server = server;
    this.connection = connection;
  }

  /// @throws StoreException if the database cannot be reached, or has no tables of this version
  public static PostgresOffsetLookup open(PostgresOptions options) {
    var server = new Server(options.address(), options.login(), 0);
    try {
      PostgresSchema schema;
      try (Connection first = server.plain(options.login(), options.address().database())) {
        schema =
            PostgresSchema.of(first, TABLE)
                .orElseThrow(() ->
                    new StoreException(
                        Kind.FATAL,
                        "%s has no tables of this version: run the migrations".formatted(server),
                        null));
      }
      Connection connection = server.in(schema).connect("taskbroker-audit", SOCKET_SECONDS);
      connection.setReadOnly(true);
      connection.setAutoCommit(false);
      connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
      return new PostgresOffsetLookup(server, connection);
    } catch (SQLException e) {
      throw failure(server, e);
    }
  }

  private static StoreException failure(Server server, SQLException e) {
    return new StoreException(
        Kind.FATAL, "%s cannot be read: %s".formatted(server, e.getMessage()), e);
  }

  @Override
  public Held read(String group, String topic, String topicId, int partition, long from, long to) {
    try {
      try {
        String store = "";
        OptionalLong next = OptionalLong.empty();
        try (PreparedStatement query = connection.prepareStatement(NEXT)) {
          new Binder(query).set(topic).set(partition).set(group).set(topicId);
          try (ResultSet row = query.executeQuery()) {
            if (row.next()) {
              store = row.getString(1);
              long found = row.getLong(2);
              next = row.wasNull() ? next : OptionalLong.of(found);
            }
          }
        }
        var tasks = new ArrayList<Task>();
        try (PreparedStatement query = connection.prepareStatement(TASKS)) {
          new Binder(query).set(topic).set(partition).set(from).set(to);
          try (ResultSet rows = query.executeQuery()) {
            while (rows.next()) {
              Timestamp delay = rows.getTimestamp(5);
              tasks.add(
                  new Task(
                      rows.getLong(1),
                      rows.getString(2),
                      Status.ofStoredName(rows.getString(3)),
                      rows.getBoolean(4),
                      delay == null ? 0 : delay.getTime(),
                      rows.getString(6)));
            }
          }
        }
        return new Held(store, next, tasks);
      } finally {
        connection.rollback(); // ends the snapshot
      }
    } catch (SQLException e) {
      throw failure(server, e);
    }
  }

  @Override
  public void close() {
    Server.close(connection);
  }
}
