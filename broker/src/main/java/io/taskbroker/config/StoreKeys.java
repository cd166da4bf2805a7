package io.taskbroker.config;

import static io.taskbroker.config.DurationTypes.duration;
import static io.taskbroker.config.DurationTypes.millis;
import static io.taskbroker.config.DurationTypes.seconds;
import static io.taskbroker.config.KeyType.bool;
import static io.taskbroker.config.KeyType.count;
import static io.taskbroker.config.KeyType.oneOf;
import static io.taskbroker.config.KeyType.optional;
import static io.taskbroker.config.KeyType.path;
import static io.taskbroker.config.KeyType.size;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/// Configuration keys: store of the tasks in flight, and its limits.
final class StoreKeys {
  static final KeyTable<BrokerConfig> TABLE =
      new KeyTable<>("The store", "The store of the tasks in flight, and its limits");

  static final Key<BrokerConfig, StoreConfig.Adapter> STORE_ADAPTER =
      TABLE.key(
          "store.adapter",
          oneOf(StoreConfig.Adapter.class),
          StoreConfig.Adapter.SQLITE,
          "Database: of a single broker, or shared by many",
          c -> c.store().adapter());

  static final Key<BrokerConfig, Path> SQLITE_PATH =
      TABLE.key(
          "store.sqlite.path",
          path(),
          Path.of("./taskbroker-inflight.sqlite"),
          "Database file",
          c -> c.store().sqlite().path());

  static final Key<BrokerConfig, Boolean> SQLITE_ENABLE_STATUS_METRICS =
      TABLE.key(
          "store.sqlite.enable_status_metrics",
          bool(),
          true,
          KeyDoc.unused(
              "Whether metrics include database internals", "metrics never query the database"),
          c -> c.store().sqlite().statusMetrics());

  static final Key<BrokerConfig, Optional<Integer>> SQLITE_VACUUM_PAGE_COUNT =
      TABLE.key(
          "store.sqlite.vacuum_page_count",
          optional(count(0)),
          Optional.empty(),
          KeyDoc.noted(
              "Free pages released per incremental vacuum; null for all",
              "at most 4,000, so that no transaction waits for it"),
          c -> c.store().sqlite().vacuumPageCount());

  static final Key<BrokerConfig, Integer> RETRY_MAX_RETRIES =
      TABLE.key(
          "store.retry.max_retries",
          count(0),
          3,
          KeyDoc.noted(
              "Retries of a start on Postgres while the server's TLS is not as required, and of"
                  + " migrations while the server is unreachable",
              "a transaction is retried until it is durable"),
          c -> c.store().retry().maxRetries());

  static final Key<BrokerConfig, Duration> RETRY_DELAY =
      TABLE.key(
          "store.retry.delay",
          duration(),
          Duration.ofMillis(100),
          KeyDoc.noted(
              "Initial delay of those retries; the delay grows to 1 s",
              "transactions are retried after 10 ms at first, and up to 1 s"),
          c -> c.store().retry().delay());

  static final Key<BrokerConfig, Duration> INSERT_FAILURE_BACKOFF_MS =
      TABLE.key(
          "store.insert_failure_backoff_ms",
          millis(0),
          Duration.ofSeconds(4),
          KeyDoc.unused("Delay after a failed insert", "the delay grows from 10 ms to 1 s"),
          c -> c.store().inserts().failureBackoff());

  static final Key<BrokerConfig, Integer> INSERT_BATCH_MAX_LENGTH =
      TABLE.key(
          "store.insert_batch_max_length",
          count(0),
          256,
          KeyDoc.unused(
              "Arrivals stored at once",
              "records that arrive during a transaction are stored in the next one, up to 4,096"
                  + " changes"),
          c -> c.store().inserts().batchLength());

  static final Key<BrokerConfig, Long> INSERT_BATCH_MAX_BYTES =
      TABLE.key(
          "store.insert_batch_max_bytes",
          size(),
          16_000_000L,
          KeyDoc.unused(
              "Bytes of arrivals stored at once",
              "limited by the read-ahead: per topic its share of an eighth of the heap, at most"
                  + " 16 MiB"),
          c -> c.store().inserts().batchBytes());

  static final Key<BrokerConfig, Duration> INSERT_BATCH_MAX_TIME_MS =
      TABLE.key(
          "store.insert_batch_max_time_ms",
          millis(0),
          Duration.ofSeconds(1),
          KeyDoc.unused(
              "Maximum wait of an arrival for its batch",
              "it waits at most for the previous transaction"),
          c -> c.store().inserts().batchTime());

  static final Key<BrokerConfig, Optional<Long>> MAX_SIZE =
      TABLE.key(
          "store.max_size",
          optional(size()),
          Optional.of(3_000_000_000L),
          KeyDoc.noted(
              "Database size in bytes at which intake stops; null for no limit",
              "counts pages in use, not the file size"),
          c -> c.store().limits().maxSize());

  static final Key<BrokerConfig, Integer> MAX_PENDING_COUNT =
      TABLE.key(
          "store.max_pending_count",
          count(0),
          2_048,
          KeyDoc.noted(
              "Tasks ready for delivery at which intake stops",
              "per application on this broker; further tasks, or those beyond a third of the"
                  + " heap, wait in Kafka, or on disk if another application waits behind them"),
          c -> c.store().limits().maxPending());

  static final Key<BrokerConfig, Integer> MAX_DELAY_COUNT =
      TABLE.key(
          "store.max_delay_count",
          count(0),
          8_192,
          KeyDoc.noted(
              "Delayed tasks at which intake stops",
              "those in memory; further ones, or those beyond a third of the heap, wait on disk"),
          c -> c.store().limits().maxDelay());

  static final Key<BrokerConfig, Optional<Integer>> MAX_PARKED_COUNT =
      TABLE.key(
          "store.max_parked_count",
          optional(count(0)),
          Optional.empty(),
          "Maximum tasks of this broker on disk only, beyond the limits above; further ones, and"
              + " the records behind them, wait in Kafka, and direct ones are refused as `FULL`; 0:"
              + " nothing exceeds the limits. Memory keeps their ids: in a quarter of the heap, at"
              + " 64 bytes each and 792 for each application. That is the limit if null, or if this"
              + " is higher: a million with 256 MB",
          c -> c.store().limits().maxParked());

  static final Key<BrokerConfig, Integer> MAX_PROCESSING_COUNT =
      TABLE.key(
          "store.max_processing_count",
          count(0),
          2_048,
          KeyDoc.noted("Tasks claimed or being processed at which intake stops", "per application"),
          c -> c.store().limits().maxProcessing());

  static final Key<BrokerConfig, Integer> MAX_PROCESSING_ATTEMPTS =
      TABLE.key(
          "store.max_processing_attempts",
          count(0),
          5,
          "Processing deadlines that a task may miss before it fails",
          c -> c.store().limits().maxProcessingAttempts());

  static final Key<BrokerConfig, Duration> PROCESSING_DEADLINE_GRACE_SEC =
      TABLE.key(
          "store.processing_deadline_grace_sec",
          seconds(),
          Duration.ofSeconds(3),
          "Grace period added to each processing deadline",
          c -> c.store().limits().processingGrace());

  static final Key<BrokerConfig, Duration> CONTENTION_DRAIN_AGE_SEC =
      TABLE.key(
          "store.contention_drain_age_sec",
          seconds(),
          Duration.ofMinutes(1),
          KeyDoc.noted(
              "Age at which tasks of a partition without an owner are taken over, with Postgres",
              "tasks of an assigned partition are taken over at once"),
          c -> c.store().limits().contentionDrainAge());

  static final Key<BrokerConfig, Duration> FINISHED_RETENTION_SEC =
      TABLE.key(
          "store.finished.retention_sec",
          seconds(0, 2_592_000),
          Duration.ZERO,
          "How long the records of finished tasks are kept, at most 30 days; 0: only those of tasks"
              + " whose client asked to keep the result, as long as their ids are remembered",
          c -> c.store().finished().retention());

  static final Key<BrokerConfig, Long> FINISHED_MAX_SIZE =
      TABLE.key(
          "store.finished.max_size",
          size().where(value -> value >= 1_000_000, ", and at least 1000000"),
          256_000_000L,
          "Bytes of those records, of each broker on Postgres; beyond it the oldest go first; they"
              + " are part of the size that `store.max_size` limits",
          c -> c.store().finished().maxSize());

  private StoreKeys() {}
}
