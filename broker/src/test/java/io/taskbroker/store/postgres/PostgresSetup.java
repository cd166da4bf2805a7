package io.taskbroker.store.postgres;

import io.taskbroker.store.postgres.PostgresOptions.Address;
import io.taskbroker.store.postgres.PostgresOptions.Limits;
import io.taskbroker.store.postgres.PostgresOptions.Login;
import io.taskbroker.store.postgres.PostgresOptions.Retry;
import io.taskbroker.testkit.PostgresServer.Database;
import java.time.Duration;
import java.util.Optional;

/// Options of stores in databases of tests.
public final class PostgresSetup {
  private PostgresSetup() {}

  /// With the tables made at the opening, and a lease that tests do not outlive.
  public static PostgresOptions options(Database database) {
    return options(database, Duration.ofMinutes(1), 0);
  }

  static PostgresOptions options(Database database, Duration lease, long maxBytes) {
    Login login = new Login(database.username(), database.password());
    return new PostgresOptions(
        new Address(
            database.host(), database.port(), database.name(), "postgres", Optional.empty()),
        login,
        Optional.of(login),
        new Limits(maxBytes, lease, Duration.ofSeconds(60)),
        new Retry(3, Duration.ofMillis(100)));
  }
}
