package io.taskbroker.config;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/// Store of the tasks in flight.
public record StoreConfig(
    Adapter adapter,
    Sqlite sqlite,
    Postgres postgres,
    Retry retry,
    Inserts inserts,
    Limits limits,
    Finished finished) {

  /// Database product.
  public enum Adapter {
    SQLITE,
    POSTGRES
  }

  /// SQLite database file.
  ///
  /// @param vacuumPageCount pages freed per incremental vacuum; all if empty
  public record Sqlite(Path path, boolean statusMetrics, Optional<Integer> vacuumPageCount) {}

  /// Postgres database.
  ///
  /// @param migrator user that migrates the tables
  /// @param maintenanceDatabase database to connect to in order to create `database`
  public record Postgres(
      Address address,
      Login login,
      Login migrator,
      String database,
      String maintenanceDatabase,
      boolean runMigrations) {}

  /// Address of the server.
  ///
  /// @param queryParams `k=v&k2=v2`
  public record Address(String host, int port, Optional<String> queryParams) {}

  /// Database user.
  public record Login(String username, Secret password) {}

  /// Retries after a transient error.
  public record Retry(int maxRetries, Duration delay) {}

  /// Batching of inserts.
  public record Inserts(
      Duration failureBackoff, int batchLength, long batchBytes, Duration batchTime) {}

  /// Limits at which intake stops, and processing deadlines.
  ///
  /// @param maxSize database size in bytes; unlimited if empty
  /// @param maxParked number of parked tasks at which no more are parked; if empty, only the heap
  ///   limits them
  /// @param maxProcessing includes claimed tasks
  /// @param maxProcessingAttempts number of processing deadlines that a task may miss
  /// @param processingGrace added to each processing deadline
  /// @param contentionDrainAge age after which rows of other brokers may be taken over, with
  ///   Postgres
  public record Limits(
      Optional<Long> maxSize,
      int maxPending,
      int maxDelay,
      Optional<Integer> maxParked,
      int maxProcessing,
      int maxProcessingAttempts,
      Duration processingGrace,
      Duration contentionDrainAge) {}

  /// Records of finished tasks.
  ///
  /// @param retention how long the records of all tasks are kept; zero to keep only those that
  ///   clients ask for
  /// @param maxSize bytes of all records
  public record Finished(Duration retention, long maxSize) {}

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
            values.get(StoreKeys.CONTENTION_DRAIN_AGE_SEC)),
        new Finished(
            values.get(StoreKeys.FINISHED_RETENTION_SEC), values.get(StoreKeys.FINISHED_MAX_SIZE)));
  }
}
