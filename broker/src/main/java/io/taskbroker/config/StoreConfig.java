package io.taskbroker.config;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/// The store of activations in flight.
public record StoreConfig(
    Adapter adapter,
    Sqlite sqlite,
    Postgres postgres,
    Retry retry,
    Inserts inserts,
    Limits limits) {

  /// Which database.
  public enum Adapter {
    SQLITE,
    POSTGRES
  }

  /// A database that is a file.
  ///
  /// @param vacuumPageCount pages given back at once; all if empty
  public record Sqlite(Path path, boolean statusMetrics, Optional<Integer> vacuumPageCount) {}

  /// A database that is a server.
  ///
  /// @param migrator who changes tables
  /// @param maintenanceDatabase where to connect to in order to create `database`
  public record Postgres(
      Address address,
      Login login,
      Login migrator,
      String database,
      String maintenanceDatabase,
      boolean runMigrations) {}

  /// Where the server is.
  ///
  /// @param queryParams `k=v&k2=v2`
  public record Address(String host, int port, Optional<String> queryParams) {}

  /// A user of the database.
  public record Login(String username, Secret password) {}

  /// What is tried again after a transient error.
  public record Retry(int maxRetries, Duration delay) {}

  /// How arrivals are grouped.
  public record Inserts(
      Duration failureBackoff, int batchLength, long batchBytes, Duration batchTime) {}

  /// When intake stops, and how long workers have.
  ///
  /// @param maxSize bytes of the database; no bound if empty
  /// @param maxProcessing counts what is claimed too
  /// @param maxProcessingAttempts how many deadlines a task may let pass
  /// @param processingGrace is added to each task's processing deadline
  /// @param contentionDrainAge after which rows of others may be taken, with Postgres
  public record Limits(
      Optional<Long> maxSize,
      int maxPending,
      int maxDelay,
      int maxProcessing,
      int maxProcessingAttempts,
      Duration processingGrace,
      Duration contentionDrainAge) {}

  static StoreConfig read(Values values) {
    return new StoreConfig(
        values.get(ConfigKeys.STORE_ADAPTER),
        new Sqlite(
            values.get(ConfigKeys.SQLITE_PATH),
            values.get(ConfigKeys.SQLITE_ENABLE_STATUS_METRICS),
            values.get(ConfigKeys.SQLITE_VACUUM_PAGE_COUNT)),
        new Postgres(
            new Address(
                values.get(ConfigKeys.PG_HOST),
                values.get(ConfigKeys.PG_PORT),
                values.get(ConfigKeys.PG_QUERY_PARAMS)),
            new Login(values.get(ConfigKeys.PG_USERNAME), values.get(ConfigKeys.PG_PASSWORD)),
            new Login(
                values.get(ConfigKeys.PG_DDL_USERNAME), values.get(ConfigKeys.PG_DDL_PASSWORD)),
            values.get(ConfigKeys.PG_DATABASE_NAME),
            values.get(ConfigKeys.PG_DEFAULT_DATABASE_NAME),
            values.get(ConfigKeys.PG_RUN_MIGRATIONS)),
        new Retry(values.get(ConfigKeys.RETRY_MAX_RETRIES), values.get(ConfigKeys.RETRY_DELAY)),
        new Inserts(
            values.get(ConfigKeys.INSERT_FAILURE_BACKOFF_MS),
            values.get(ConfigKeys.INSERT_BATCH_MAX_LENGTH),
            values.get(ConfigKeys.INSERT_BATCH_MAX_BYTES),
            values.get(ConfigKeys.INSERT_BATCH_MAX_TIME_MS)),
        new Limits(
            values.get(ConfigKeys.MAX_SIZE),
            values.get(ConfigKeys.MAX_PENDING_COUNT),
            values.get(ConfigKeys.MAX_DELAY_COUNT),
            values.get(ConfigKeys.MAX_PROCESSING_COUNT),
            values.get(ConfigKeys.MAX_PROCESSING_ATTEMPTS),
            values.get(ConfigKeys.PROCESSING_DEADLINE_GRACE_SEC),
            values.get(ConfigKeys.CONTENTION_DRAIN_AGE_SEC)));
  }
}
