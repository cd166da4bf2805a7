package io.taskbroker.store.postgres;

import io.taskbroker.store.StoreLimits;
import java.time.Duration;
import java.util.Optional;

/// Location of a Postgres store, credentials and limits.
///
/// @param migrator the login that migrates the tables when the store is opened; no migration if
///   empty
public record PostgresOptions(
    Address address, Login login, Optional<Login> migrator, Limits limits, Retry retry) {

  /// Address of the database.
  ///
  /// @param maintenanceDatabase the database to connect to in order to create `database`
  /// @param queryParams `k=v&k2=v2`, as in libpq URLs, such as `sslmode=verify-full`; applies to
  ///   all connections, including those of migrations and notifications
  public record Address(
      String host,
      int port,
      String database,
      String maintenanceDatabase,
      Optional<String> queryParams) {
    @Override
    public String toString() {
      return host + ":" + port + "/" + database;
    }
  }

  /// Credentials. The string form omits the password.
  public record Login(String username, String password) {
    @Override
    public String toString() {
      return username;
    }
  }

  /// Limits of the store.
  ///
  /// @param maxBytes `store.max_size`; 0 means unbounded. The producer of rows must stop there, by
  ///   [PostgresStore#size]; an eighth above it the store refuses inserts
  /// @param lease time after which the partitions of an unreachable broker may be taken (H11)
  /// @param drainAge time after which orphans may be adopted (`contention_drain_age_sec`)
  /// @param maxFinishedBytes most bytes of the records of finished tasks of this broker
  public record Limits(long maxBytes, Duration lease, Duration drainAge, long maxFinishedBytes) {
    public static final Duration LEASE = Duration.ofSeconds(10);

    /// Limits with the usual one on the records of finished tasks.
    public Limits(long maxBytes, Duration lease, Duration drainAge) {
      this(maxBytes, lease, drainAge, StoreLimits.FINISHED_BYTES);
    }

    public Limits {
      if (maxBytes < 0) {
        throw new IllegalArgumentException("maxBytes must not be negative: " + maxBytes);
      }
      if (lease.toMillis() < 100 || drainAge.isNegative()) {
        throw new IllegalArgumentException(
            "The lease must be at least 100 ms and the drain age not negative: %s, %s"
                .formatted(lease, drainAge));
      }
    }

    /// Size in bytes beyond which inserts are refused.
    long insertLimit() {
      return StoreLimits.insertLimit(maxBytes);
    }
  }

  /// Retry policy of the start.
  ///
  /// @param max minimum number of retries
  /// @param delay pause before the first retry
  /// @param patience minimum time of retrying, unless an operator is needed
  public record Retry(int max, Duration delay, Duration patience) {
    /// Waits without a limit.
    public static final Duration UNBOUNDED = Duration.ofDays(36_500);

    public Retry(int max, Duration delay) {
      this(max, delay, Duration.ZERO);
    }
  }
}
