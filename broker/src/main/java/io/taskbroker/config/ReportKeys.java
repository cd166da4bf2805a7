package io.taskbroker.config;

import static io.taskbroker.config.DurationTypes.millis;
import static io.taskbroker.config.KeyType.bool;
import static io.taskbroker.config.KeyType.count;

import java.time.Duration;

/// The keys of an area: How reports of workers are written.
final class ReportKeys {
  static final KeyTable<BrokerConfig> TABLE =
      new KeyTable<>("Reports", "How reports of workers are written");

  static final Key<BrokerConfig, Boolean> BATCH_STATUS_UPDATES =
      TABLE.key(
          "batch_status_updates",
          bool(),
          false,
          KeyDoc.noted(
              "Whether reports wait for each other",
              "a report is answered when it is durable, and shares its transaction with what came"
                  + " meanwhile, with either"),
          c -> c.statusUpdates().batched());

  static final Key<BrokerConfig, Integer> STATUS_UPDATE_BATCH_SIZE =
      TABLE.key(
          "status_update_batch_size",
          count(1),
          1,
          KeyDoc.noted(
              "Reports that are written at once",
              "with batch_status_updates, bounds every change of a transaction"),
          c -> c.statusUpdates().batchSize());

  static final Key<BrokerConfig, Duration> STATUS_UPDATE_INTERVAL_MS =
      TABLE.key(
          "status_update_interval_ms",
          millis(1),
          Duration.ofMillis(100),
          KeyDoc.noted("How long a report waits for others", "with batch_status_updates"),
          c -> c.statusUpdates().interval());

  private ReportKeys() {}
}
