package io.taskbroker.store.postgres;

import java.time.Duration;
import java.util.Optional;

/// Where a Postgres store is, and how brokers share it.
///
/// @param migrator who brings the tables up to date at the opening; nobody if empty
public record PostgresOptions(
    Address address, Login login, Optional<Login> migrator, Limits limits, Retry retry) {

  /// Where the database is.
  ///
  /// @param maintenanceDatabase where to connect to in order to create `database`
  /// @param queryParams `k=v&k2=v2`, as in the URLs of libpq, such as `sslmode=verify-full`, for
  ///   all connections: those of migrations and of notifications, too
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

  /// A user of the server. Its text has no password.
  public record Login(String username, String password) {
    @Override
    public String toString() {
      return username;
    }
  }

  /// @param maxBytes `store.max_size`, 0 if there is no bound: whoever fills the store is to stop
  ///   there, by [PostgresStore#size]; an eighth above it the store refuses to insert
  /// @param lease how long a broker that is not heard of keeps its partitions (H11)
  /// @param drainAge how long a place is left alone that no broker has (`contention_drain_age_sec`)
  public record Limits(long maxBytes, Duration lease, Duration drainAge) {
    public static final Duration LEASE = Duration.ofSeconds(10);

    public Limits {
      if (maxBytes < 0) {
        throw new IllegalArgumentException("maxBytes must not be negative: " + maxBytes);
      }
      if (lease.toMillis() < 100 || drainAge.isNegative()) {
        throw new IllegalArgumentException(
            "Neither a lease of %s nor a drain age of %s will do".formatted(lease, drainAge));
      }
    }

    /// The number of bytes beyond which inserts are refused.
    long insertLimit() {
      long eighth = maxBytes / 8;
      return maxBytes == 0 || maxBytes > Long.MAX_VALUE - eighth
          ? Long.MAX_VALUE
          : maxBytes + eighth;
    }
  }

  /// How the opening goes on where the server does not answer.
  ///
  /// @param max tries more, at least
  /// @param delay before the first of them
  /// @param patience for how long it goes on, at least, unless only a person can help
  public record Retry(int max, Duration delay, Duration patience) {
    /// As long as it takes.
    public static final Duration UNBOUNDED = Duration.ofDays(36_500);

    public Retry(int max, Duration delay) {
      this(max, delay, Duration.ZERO);
    }
  }
}
