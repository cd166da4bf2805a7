package io.taskbroker.client.outbox;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

/// Needs an installed MariaDB, and is therefore not in the suite: `-Dtest=MariaDbOutboxIT` runs it.
final class MariaDbOutboxIT extends MySqlContract {
  @BeforeAll
  static void start(@TempDir Path dir) throws Exception {
    server = MySqlServer.mariaDb(dir);
  }

  @Override
  long id(Connection connection) throws SQLException {
    return connection.unwrap(org.mariadb.jdbc.Connection.class).getThreadId();
  }
}
