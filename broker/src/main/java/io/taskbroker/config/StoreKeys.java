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

/// The keys of an area: Where what is in flight is kept, and how much of it.
final class StoreKeys {
  static final KeyTable<BrokerConfig> TABLE =
      new KeyTable<>("The store", "Where what is in flight is kept, and how much of it");

  static final Key<BrokerConfig, StoreConfig.Adapter> STORE_ADAPTER =
      TABLE.key(
          "store.adapter",
          oneOf(StoreConfig.Adapter.class),
          StoreConfig.Adapter.SQLITE,
          "The database: of one broker, or of many",
          c -> c.store().adapter());

  static final Key<BrokerConfig, Path> SQLITE_PATH =
      TABLE.key(
          "store.sqlite.path",
          path(),
          Path.of("./taskbroker-inflight.sqlite"),
          "The file of the database",
          c -> c.store().sqlite().path());

  static final Key<BrokerConfig, Boolean> SQLITE_ENABLE_STATUS_METRICS =
      TABLE.key(
          "store.sqlite.enable_status_metrics",
          bool(),
          true,
          KeyDoc.unused(
              "Whether metrics tell of the database's inside",
              "nothing searches the database for the sake of metrics"),
          c -> c.store().sqlite().statusMetrics());

  static final Key<BrokerConfig, Optional<Integer>> SQLITE_VACUUM_PAGE_COUNT =
      TABLE.key(
          "store.sqlite.vacuum_page_count",
          optional(count(0)),
          Optional.empty(),
          KeyDoc.noted(
              "Free pages of the file that are given back at once; null for all",
              "4,000 at most, so that nothing waits for it"),
          c -> c.store().sqlite().vacuumPageCount());

  static final Key<BrokerConfig, Integer> RETRY_MAX_RETRIES =
      TABLE.key(
          "store.retry.max_retries",
          count(0),
          3,
          KeyDoc.noted(
              "How often a start on Postgres tries again while the server's TLS is not what is"
                  + " asked for, and migrations while it does not answer",
              "a transaction is tried again until it is durable"),
          c -> c.store().retry().maxRetries());

  static final Key<BrokerConfig, Duration> RETRY_DELAY =
      TABLE.key(
          "store.retry.delay",
          duration(),
          Duration.ofMillis(100),
          KeyDoc.noted(
              "How long to wait before that, at first; the wait grows to 1 s",
              "a transaction waits for 10 ms at first, and up to 1 s"),
          c -> c.store().retry().delay());

  static final Key<BrokerConfig, Duration> INSERT_FAILURE_BACKOFF_MS =
      TABLE.key(
          "store.insert_failure_backoff_ms",
          millis(0),
          Duration.ofSeconds(4),
          KeyDoc.unused(
              "How long to wait after a failed insert", "the wait grows from 10 ms to 1 s"),
          c -> c.store().inserts().failureBackoff());

  static final Key<BrokerConfig, Integer> INSERT_BATCH_MAX_LENGTH =
      TABLE.key(
          "store.insert_batch_max_length",
          count(0),
          256,
          KeyDoc.unused(
              "Arrivals that are stored at once",
              "what arrives during a transaction is in the next one, up to 4,096 changes"),
          c -> c.store().inserts().batchLength());

  static final Key<BrokerConfig, Long> INSERT_BATCH_MAX_BYTES =
      TABLE.key(
          "store.insert_batch_max_bytes",
          size(),
          16_000_000L,
          KeyDoc.unused(
              "Bytes of the arrivals that are stored at once",
              "bounded by what is read ahead: of each topic its share of an eighth of the heap,"
                  + " 16 MiB at most"),
          c -> c.store().inserts().batchBytes());

  static final Key<BrokerConfig, Duration> INSERT_BATCH_MAX_TIME_MS =
      TABLE.key(
          "store.insert_batch_max_time_ms",
          millis(0),
          Duration.ofSeconds(1),
          KeyDoc.unused(
              "How long an arrival waits for others",
              "it waits for the transaction before at most"),
          c -> c.store().inserts().batchTime());

  static final Key<BrokerConfig, Optional<Long>> MAX_SIZE =
      TABLE.key(
          "store.max_size",
          optional(size()),
          Optional.of(3_000_000_000L),
          KeyDoc.noted(
              "Bytes of the database at which intake stops; null for no bound",
              "counts pages in use, and not what the file was once"),
          c -> c.store().limits().maxSize());

  static final Key<BrokerConfig, Integer> MAX_PENDING_COUNT =
      TABLE.key(
          "store.max_pending_count",
          count(0),
          2_048,
          KeyDoc.noted(
              "Tasks ready for delivery at which intake stops",
              "those of one application on this broker; more of them, or more than a third of the"
                  + " heap has room for, wait in Kafka, or on disk where another application waits"
                  + " behind them"),
          c -> c.store().limits().maxPending());

  static final Key<BrokerConfig, Integer> MAX_DELAY_COUNT =
      TABLE.key(
          "store.max_delay_count",
          count(0),
          8_192,
          KeyDoc.noted(
              "Delayed tasks at which intake stops",
              "those in memory; more of them, or more than a third of the heap has room for, wait"
                  + " on disk"),
          c -> c.store().limits().maxDelay());

  static final Key<BrokerConfig, Optional<Integer>> MAX_PARKED_COUNT =
      TABLE.key(
          "store.max_parked_count",
          optional(count(0)),
          Optional.empty(),
          "Tasks of this broker on disk only, beyond the limits above, from which on what would be"
              + " one more waits in Kafka, and what is behind it too; 0: nothing goes beyond the"
              + " limits; null: as many as `store.max_size` has room for",
          c -> c.store().limits().maxParked());

  static final Key<BrokerConfig, Integer> MAX_PROCESSING_COUNT =
      TABLE.key(
          "store.max_processing_count",
          count(0),
          2_048,
          KeyDoc.noted(
              "Tasks claimed or with workers at which intake stops", "those of one application"),
          c -> c.store().limits().maxProcessing());

  static final Key<BrokerConfig, Integer> MAX_PROCESSING_ATTEMPTS =
      TABLE.key(
          "store.max_processing_attempts",
          count(0),
          5,
          "Processing deadlines that a task may let pass before it fails",
          c -> c.store().limits().maxProcessingAttempts());

  static final Key<BrokerConfig, Duration> PROCESSING_DEADLINE_GRACE_SEC =
      TABLE.key(
          "store.processing_deadline_grace_sec",
          seconds(),
          Duration.ofSeconds(3),
          "What is added to each processing deadline",
          c -> c.store().limits().processingGrace());

  static final Key<BrokerConfig, Duration> CONTENTION_DRAIN_AGE_SEC =
      TABLE.key(
          "store.contention_drain_age_sec",
          seconds(),
          Duration.ofMinutes(1),
          KeyDoc.noted(
              "After which tasks of a partition that no broker has are taken over, with Postgres",
              "those of a partition that is assigned are taken at once"),
          c -> c.store().limits().contentionDrainAge());

  private StoreKeys() {}
}
