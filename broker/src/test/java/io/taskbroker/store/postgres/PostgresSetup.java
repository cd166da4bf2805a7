package io.taskbroker.store.postgres;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.FailurePolicy;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Status;
import io.taskbroker.store.Rows;
import io.taskbroker.store.postgres.PostgresOptions.Address;
import io.taskbroker.store.postgres.PostgresOptions.Limits;
import io.taskbroker.store.postgres.PostgresOptions.Login;
import io.taskbroker.store.postgres.PostgresOptions.Retry;
import io.taskbroker.testkit.PostgresServer.Database;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Optional;

/// Test fixtures: options of stores in test databases, and changes of rows.
public final class PostgresSetup {
  static final Duration LONG = Duration.ofMinutes(1);

  private PostgresSetup() {}

  /// Options that migrate the tables, with a lease longer than any test.
  public static PostgresOptions options(Database database) {
    return options(database, LONG, LONG);
  }

  static PostgresOptions options(Database database, Duration lease, Duration drainAge) {
    Login login = new Login(database.username(), database.password());
    return new PostgresOptions(
        address(database, database.port()),
        login,
        Optional.of(login),
        new Limits(0, lease, drainAge),
        new Retry(3, Duration.ofMillis(100)));
  }

  /// The same options with another port.
  static PostgresOptions by(PostgresOptions options, Database database, int port) {
    return new PostgresOptions(
        address(database, port),
        options.login(),
        options.migrator(),
        options.limits(),
        options.retry());
  }

  private static Address address(Database database, int port) {
    return new Address(database.host(), port, database.name(), "postgres", Optional.empty());
  }

  static SourcePartition partition(int number) {
    return new SourcePartition("cluster", "group", "topic-id", "topic", number);
  }

  static Change insert(long key, int partition) {
    return new Change.Insert(row(key, partition), null);
  }

  static Row row(long key, int partition) {
    Activation activation =
        new Activation(
            "id-" + key,
            "app",
            "namespace",
            "task",
            new byte[] {1, 2, 3},
            origin(partition),
            Rows.NOW,
            Activation.NEVER,
            0,
            30,
            FailurePolicy.DISCARD,
            false,
            false);
    return Row.arriving(key, activation, Status.PENDING, Rows.NOW);
  }

  static Change updateStatus(long key, int partition, Status status) {
    return new Change.UpdateStatus(
        key, "id-" + key, origin(partition), status, 0, Row.NONE, Row.NONE, false, false, null);
  }

  static Change delete(long key, int partition) {
    return new Change.Delete(key, "id-" + key, origin(partition), Row.NONE, null);
  }

  static Origin origin(int partition) {
    return new Origin(partition < 0 ? "" : "topic", partition, 7);
  }

  /// First column of the first row; empty if there is no row.
  static String query(Database database, String sql) {
    try (Connection connection = database.connect();
        Statement statement = connection.createStatement();
        ResultSet result = statement.executeQuery(sql)) {
      return result.next() ? String.valueOf(result.getString(1)) : "";
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }
}
