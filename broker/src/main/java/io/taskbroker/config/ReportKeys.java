package io.taskbroker.config;

import static io.taskbroker.config.DurationTypes.millis;
import static io.taskbroker.config.KeyType.bool;
import static io.taskbroker.config.KeyType.count;

import java.time.Duration;

/// Configuration keys: writing of worker reports.
final class ReportKeys {
  static final KeyTable<BrokerConfig> TABLE =
      new KeyTable<>("Reports", "Writing of worker reports");

  static final Key<BrokerConfig, Boolean> BATCH_STATUS_UPDATES =
      TABLE.key(
          "batch_status_updates",
          bool(),
          false,
          KeyDoc.noted(
              "Whether reports are batched",
              "in either case a report is answered when it is durable, and shares its transaction"
                  + " with changes that arrived meanwhile"),
          c -> c.statusUpdates().batched());

  static final Key<BrokerConfig, Integer> STATUS_UPDATE_BATCH_SIZE =
      TABLE.key(
          "status_update_batch_size",
          count(1),
          1,
          KeyDoc.noted(
              "Reports written at once",
              "with batch_status_updates, limits all changes of a transaction"),
          c -> c.statusUpdates().batchSize());

  static final Key<BrokerConfig, Duration> STATUS_UPDATE_INTERVAL_MS =
      TABLE.key(
          "status_update_interval_ms",
          millis(1),
          Duration.ofMillis(100),
          KeyDoc.noted("Maximum wait of a report for its batch", "with batch_status_updates"),
          c -> c.statusUpdates().interval());

  private ReportKeys() {}
}
