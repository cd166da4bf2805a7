package io.taskbroker.client.outbox;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.testkit.PostgresServer;
import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.postgresql.PGConnection;
import org.postgresql.ds.PGSimpleDataSource;

final class PostgresOutboxTest extends RowLockContract {
  @Override
  DataSource newDatabase() {
    PostgresServer.Database database = PostgresServer.shared().newDatabase();
    var source = new PGSimpleDataSource();
    source.setServerNames(new String[] {database.host()});
    source.setPortNumbers(new int[] {database.port()});
    source.setDatabaseName(database.name());
    source.setUser(database.username());
    source.setPassword(database.password());
    return source;
  }

  /// The server ends the connection of the client, which goes on until its next statement fails.
  private void end(Connection connection) throws SQLException {
    int backend = connection.unwrap(PGConnection.class).getBackendPID();
    try (Connection other = source.getConnection();
        var statement = other.createStatement();
        var ended =
            statement.executeQuery("SELECT pg_terminate_backend(" + backend + ", 60000)")) {
      ended.next();
      assertThat(ended.getBoolean(1)).isTrue();
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
