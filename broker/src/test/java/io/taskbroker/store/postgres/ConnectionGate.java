package io.taskbroker.store.postgres;

import static org.awaitility.Awaitility.await;

import io.taskbroker.testkit.PostgresServer.Database;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/// Gate that locks a row: a commit that changes the row blocks until the gate opens.
final class ConnectionGate implements AutoCloseable {
  private final Database database;
  private final Connection connection;

  ConnectionGate(Database database, long key) throws SQLException {
    this.database = database;
    connection = database.connect();
    connection.setAutoCommit(false);
    try (Statement statement = connection.createStatement()) {
      statement.execute("SELECT 1 FROM taskbroker_activation WHERE key = " + key + " FOR UPDATE");
    }
  }

  /// Runs work on a thread of its own.
  static <T> CompletableFuture<T> meanwhile(Supplier<T> work) {
    return CompletableFuture.supplyAsync(work, task -> Thread.ofVirtual().start(task));
  }

  /// Waits until a commit blocks at the gate.
  void awaitCommit() {
    awaitWaiting("transactionid");
  }

  /// Waits until a take blocks on the lock of a broker epoch.
  void awaitTake() {
    awaitWaiting("advisory");
  }

  private void awaitWaiting(String kind) {
    await()
        .until(() ->
            !PostgresSetup.query(
                    database,
                    "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
                        + " WHERE NOT l.granted AND a.datname = current_database()"
                        + " AND l.locktype = '"
                        + kind
                        + "'")
                .equals("0"));
  }

  @Override
  public void close() throws SQLException {
    open();
  }

  /// Releases the row.
  void open() throws SQLException {
    if (!connection.isClosed()) {
      connection.rollback();
      connection.close();
    }
  }
}
