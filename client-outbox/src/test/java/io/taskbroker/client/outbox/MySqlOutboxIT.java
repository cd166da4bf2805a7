package io.taskbroker.client.outbox;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

/// Needs an installed MySQL, and is therefore not in the suite: `-Dtest=MySqlOutboxIT` runs it.
final class MySqlOutboxIT extends MySqlContract {
  @BeforeAll
  static void start(@TempDir Path dir) throws Exception {
    server = MySqlServer.mySql(dir);
  }

  @Override
  long id(Connection connection) throws SQLException {
    return connection.unwrap(com.mysql.cj.jdbc.JdbcConnection.class).getId();
  }
}
