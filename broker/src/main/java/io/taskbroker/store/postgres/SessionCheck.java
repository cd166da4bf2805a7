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

/// Check, before anything is locked or written, that the server can carry a store: it takes writes,
/// its text is UTF-8, and a connection keeps its session. Stateless.
///
/// A pooler in transaction mode gives each transaction another session. Advisory locks, `LISTEN`
/// and settings then belong to nobody, and two brokers take the same seat (H23). A connection that
/// goes through a pooler shows it by a process id that is not that of its session. Then a
/// notification decides: it reaches a connection that waits only if the session is its own.
final class SessionCheck {
  private static final String FACTS =
      """
      SELECT pg_backend_pid(), pg_is_in_recovery(), current_setting('server_encoding')
      """;

  /// A session that is the connection's own hears of it in a moment.
  private static final Duration NOTIFICATION_PATIENCE = Duration.ofSeconds(10);

  private SessionCheck() {}

  /// @throws StoreException of kind `FATAL` if the server will never carry a store as it is
  /// @throws SQLException if it cannot be asked, or is a standby
  static void require(Server server, Login as) throws SQLException {
    try (Connection connection = server.probe(as)) {
      Facts facts = facts(connection);
      if (facts.standby()) {
        throw new SQLException("The server is a standby, which takes no writes", "25006");
      }
      if (!facts.encoding().equals("UTF8")) {
        throw new StoreException(
            Kind.FATAL,
            "%s has the encoding %s, which cannot hold the names of tasks: create the database with ENCODING 'UTF8' TEMPLATE template0"
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
      if (same || !hears(waiting)) {
        throw new StoreException(
            Kind.FATAL,
            "%s is behind a pooler that gives each transaction another session, and brokers need sessions that last (advisory locks, LISTEN, prepared statements): set pool_mode = session for this database in the pooler, or connect to the server itself"
                .formatted(server),
            null);
      }
    }
  }

  private static boolean hears(Connection waiting) throws SQLException {
    PGNotification[] heard =
        waiting
            .unwrap(PGConnection.class)
            .getNotifications(Math.toIntExact(NOTIFICATION_PATIENCE.toMillis()));
    return heard != null && heard.length > 0;
  }
}
