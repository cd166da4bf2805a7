package io.taskbroker.client.outbox;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterAll;

/// What holds on MySQL and MariaDB, each with its own driver.
abstract class MySqlContract extends ServerContract {
  private static final AtomicInteger NAMES = new AtomicInteger();

  static MySqlServer server;

  @AfterAll
  static void stop() {
    server.close();
  }

  @Override
  final DataSource newDatabase() throws SQLException {
    return server.newDatabase("shop" + NAMES.incrementAndGet());
  }

  /// Number of a connection at the server.
  abstract long id(Connection connection) throws SQLException;

  @Override
  final void end(Connection connection) throws SQLException {
    try (Connection other = source.getConnection();
        var statement = other.createStatement()) {
      statement.execute("KILL CONNECTION " + id(connection));
    }
  }
}
