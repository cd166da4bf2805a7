package io.taskbroker.store.postgres;

import io.taskbroker.store.StoreException;
import io.taskbroker.store.StoreException.Kind;
import io.taskbroker.store.postgres.PostgresOptions.Login;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.UUID;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;

/// Check that the server can carry a store, before anything is locked or written: it accepts
/// writes, its encoding is UTF-8, and a connection keeps its session. Stateless.
///
/// A pooler in transaction mode can serve each transaction by another session. Advisory locks,
/// `LISTEN` and settings are then lost, and two brokers acquire the same member slot (H23). Behind
/// a pooler, the process id that the driver knows differs from that of the session. In that case a
/// notification decides: it reaches a listening connection only if that connection keeps its
/// session.
final class SessionCheck {
  private static final String FACTS =
      """
      SELECT pg_backend_pid(), pg_is_in_recovery(), current_setting('server_encoding')
      """;

  /// Upper bound on the wait for a notification. A connection that keeps its session receives it at
  /// once.
  private static final Duration NOTIFICATION_PATIENCE = Duration.ofSeconds(10);

  private SessionCheck() {}

  /// @throws StoreException of kind `FATAL` if the server cannot carry a store as it is configured
  /// @throws SQLException if the server does not answer, or is a standby
  static void require(Server server, Login as) throws SQLException {
    try (Connection connection = server.probe(as)) {
      Facts facts = facts(connection);
      if (facts.standby()) {
        throw new SQLException("The server is a standby and refuses writes", "25006");
      }
      if (!facts.encoding().equals("UTF8")) {
        throw new StoreException(
            Kind.FATAL,
            "%s has the encoding %s, which cannot store every task name: create the database with ENCODING 'UTF8' TEMPLATE template0"
                .formatted(server, facts.encoding()),
            null);
      }
      if (connection.unwrap(PGConnection.class).getBackendPID() != facts.process()) {
        requireSession(server, as, connection, facts.process());
      }
    }
  }

  private record Facts(int process, boolean standby, String encoding) {}

  private static Facts facts(Connection connection) throws SQLException {
    connection.setAutoCommit(false);
    try (Statement statement = connection.createStatement()) {
      statement.execute("SET LOCAL statement_timeout = 0");
      try (ResultSet result = statement.executeQuery(FACTS)) {
        result.next();
        return new Facts(result.getInt(1), result.getBoolean(2), result.getString(3));
      }
    } finally {
      connection.setAutoCommit(true);
    }
  }

  private static void requireSession(Server server, Login as, Connection waiting, int process)
      throws SQLException {
    String channel = "taskbroker_check_" + UUID.randomUUID().toString().replace("-", "");
    try (Statement statement = waiting.createStatement()) {
      statement.execute("LISTEN " + channel);
    }
    try (Connection other = server.probe(as);
        Statement statement = other.createStatement()) {
      boolean same = facts(other).process() == process;
      statement.execute("SELECT pg_notify('%s', '')".formatted(channel));
      if (same || !receivesNotification(waiting)) {
        throw new StoreException(
            Kind.FATAL,
            "%s is behind a pooler in transaction mode, but brokers need a session per connection (advisory locks, LISTEN, prepared statements): set pool_mode = session for this database in the pooler, or connect to the server itself"
                .formatted(server),
            null);
      }
    }
  }

  private static boolean receivesNotification(Connection waiting) throws SQLException {
    PGNotification[] received =
        waiting
            .unwrap(PGConnection.class)
            .getNotifications(Math.toIntExact(NOTIFICATION_PATIENCE.toMillis()));
    return received != null && received.length > 0;
  }
}
