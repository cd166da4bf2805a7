package io.taskbroker.client.outbox;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;

/// What holds on MySQL and MariaDB, each with its own driver.
abstract class MySqlContract extends ServerContract {
  private static final AtomicInteger NAMES = new AtomicInteger();

  static @Nullable MySqlServer server;

  @AfterAll
  static void stop() {
    if (server != null) {
      server.close();
    }
  }

  @Override
  final DataSource newDatabase() throws SQLException {
    return Objects.requireNonNull(server).newDatabase("shop" + NAMES.incrementAndGet());
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
