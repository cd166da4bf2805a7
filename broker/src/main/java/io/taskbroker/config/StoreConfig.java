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
  /// @param maxParked tasks on disk only at which no more are parked; no bound if empty
  /// @param maxProcessing counts what is claimed too
  /// @param maxProcessingAttempts how many deadlines a task may let pass
  /// @param processingGrace is added to each task's processing deadline
  /// @param contentionDrainAge after which rows of others may be taken, with Postgres
  public record Limits(
      Optional<Long> maxSize,
      int maxPending,
      int maxDelay,
      Optional<Integer> maxParked,
      int maxProcessing,
      int maxProcessingAttempts,
      Duration processingGrace,
      Duration contentionDrainAge) {}

  static StoreConfig read(Values values) {
    return new StoreConfig(
        values.get(StoreKeys.STORE_ADAPTER),
        new Sqlite(
            values.get(StoreKeys.SQLITE_PATH),
            values.get(StoreKeys.SQLITE_ENABLE_STATUS_METRICS),
            values.get(StoreKeys.SQLITE_VACUUM_PAGE_COUNT)),
        new Postgres(
            new Address(
                values.get(PostgresKeys.PG_HOST),
                values.get(PostgresKeys.PG_PORT),
                values.get(PostgresKeys.PG_QUERY_PARAMS)),
            new Login(values.get(PostgresKeys.PG_USERNAME), values.get(PostgresKeys.PG_PASSWORD)),
            new Login(
                values.get(PostgresKeys.PG_DDL_USERNAME), values.get(PostgresKeys.PG_DDL_PASSWORD)),
            values.get(PostgresKeys.PG_DATABASE_NAME),
            values.get(PostgresKeys.PG_DEFAULT_DATABASE_NAME),
            values.get(PostgresKeys.PG_RUN_MIGRATIONS)),
        new Retry(values.get(StoreKeys.RETRY_MAX_RETRIES), values.get(StoreKeys.RETRY_DELAY)),
        new Inserts(
            values.get(StoreKeys.INSERT_FAILURE_BACKOFF_MS),
            values.get(StoreKeys.INSERT_BATCH_MAX_LENGTH),
            values.get(StoreKeys.INSERT_BATCH_MAX_BYTES),
            values.get(StoreKeys.INSERT_BATCH_MAX_TIME_MS)),
        new Limits(
            values.get(StoreKeys.MAX_SIZE),
            values.get(StoreKeys.MAX_PENDING_COUNT),
            values.get(StoreKeys.MAX_DELAY_COUNT),
            values.get(StoreKeys.MAX_PARKED_COUNT),
            values.get(StoreKeys.MAX_PROCESSING_COUNT),
            values.get(StoreKeys.MAX_PROCESSING_ATTEMPTS),
            values.get(StoreKeys.PROCESSING_DEADLINE_GRACE_SEC),
            values.get(StoreKeys.CONTENTION_DRAIN_AGE_SEC)));
  }
}
