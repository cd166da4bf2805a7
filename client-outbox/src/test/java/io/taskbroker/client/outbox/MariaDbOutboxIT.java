package io.taskbroker.client.outbox;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Needs an installed MariaDB, and is therefore not in the suite: `-Dtest=MariaDbOutboxIT` runs it.
final class MariaDbOutboxIT extends RowLockContract {
  private static final AtomicInteger NAMES = new AtomicInteger();

  @TempDir static Path dir;
  private static MariaDbServer server;

  @BeforeAll
  static void start() throws Exception {
    server = new MariaDbServer(dir);
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  @Override
  DataSource newDatabase() throws SQLException {
    return server.newDatabase("shop" + NAMES.incrementAndGet());
  }

  /// The server ends the connection of the client.
  private void end(Connection connection) throws SQLException {
    long id = connection.unwrap(org.mariadb.jdbc.Connection.class).getThreadId();
    try (Connection other = source.getConnection();
        var statement = other.createStatement()) {
      statement.execute("KILL CONNECTION " + id);
    }
  }

  @Test
  void whereverTheConnectionOfTheApplicationEndsTheCallsAreEnqueuedExactlyIfItCommitted()
      throws Exception {
    letTheApplicationDie(this::end);
  }

  @Test
  void whereverTheConnectionOfTheRelayEndsEachCallIsEnqueuedOnce() throws Exception {
    letTheRelayDie(this::end);
  }
}
