package io.taskbroker;

import io.taskbroker.config.BrokerConfig;
import io.taskbroker.config.ConfigException;
import io.taskbroker.config.DeliveryMode;
import io.taskbroker.config.PushConfig;
import io.taskbroker.config.StatusUpdateConfig;
import io.taskbroker.config.StoreConfig;
import io.taskbroker.config.TopicConfig;
import io.taskbroker.inflight.InflightOptions;
import io.taskbroker.ingest.IngestOptions;
import io.taskbroker.ingest.TopicSource;
import io.taskbroker.store.CommitOptions;
import io.taskbroker.store.sqlite.SqliteOptions;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/// What the configuration means to each stage, with the numbers that nobody configures.
final class Settings {
  private static final int MAX_CHANGES = 16_384;
  private static final int MAX_CALLS = 1_024;
  private static final int READ_AHEAD_RECORDS = 3_000;
  private static final long READ_AHEAD_BYTES = 16 << 20;
  private static final int POLL_RECORDS = 1_000;
  private static final long DEFAULT_MARK_MS = 500;
  private static final long SETTLE_MS = 2_000;
  private static final int LARGEST_DEAD_LETTER = 32 << 20;
  private static final long PARK_HORIZON_MS = 5 * 60_000;
  private static final Duration LEAST_PATIENCE = Duration.ofSeconds(10);
  private static final Duration LEAST_MAINTENANCE_INTERVAL = Duration.ofSeconds(1);
  private static final long TOMBSTONE_MS = 10 * 60_000;

  private Settings() {}

  /// Refuses what a configuration may ask for and this broker cannot do.
  ///
  /// @throws ConfigException that names the key
  static void requireSupported(BrokerConfig config) {
    if (config.store().adapter() != StoreConfig.Adapter.SQLITE) {
      throw ConfigException.of("store.adapter", "postgres", "only sqlite is supported so far");
    }
    for (TopicConfig topic : config.kafka().topics().values()) {
      if (topic.raw().isPresent()) {
        throw ConfigException.of(
            "kafka_topics." + topic.name() + ".raw", "", "raw topics are not supported so far");
      }
    }
  }

  static InflightOptions inflight(BrokerConfig config) {
    StoreConfig.Limits limits = config.store().limits();
    PushConfig push = config.push();
    return new InflightOptions(
        config.deliveryMode() == DeliveryMode.PUSH ? config.workerMap().keySet() : null,
        config.kafka().retryTopic(),
        config.kafka().deadletterTopic(),
        new InflightOptions.Limits(
            limits.maxPending(),
            limits.maxDelay(),
            limits.maxProcessing(),
            limits.maxProcessingAttempts(),
            limits.maxSize().orElse(0L),
            Runtime.getRuntime().maxMemory() / 4,
            MAX_CHANGES,
            MAX_CALLS),
        new InflightOptions.Periods(
            limits.processingGrace().toMillis(),
            config.claimLease().toMillis(),
            push.updateBatched() ? push.updateInterval().toMillis() : DEFAULT_MARK_MS,
            config.upkeep().deadlineResetSkip().toMillis(),
            SETTLE_MS,
            PARK_HORIZON_MS,
            TOMBSTONE_MS));
  }

  /// Replies wait for their transaction either way; batching status updates adds the linger and the
  /// bound that were asked for (design section 5).
  static CommitOptions commits(BrokerConfig config) {
    StatusUpdateConfig updates = config.statusUpdates();
    CommitOptions options =
        CommitOptions.defaults()
            .maintainedEvery(
                max(config.upkeep().vacuum().maintenanceInterval(), LEAST_MAINTENANCE_INTERVAL));
    return updates.batched() ? options.lingering(updates.batchSize(), updates.interval()) : options;
  }

  static SqliteOptions sqlite(BrokerConfig config) {
    StoreConfig.Sqlite sqlite = config.store().sqlite();
    int pages = sqlite.vacuumPageCount().orElse(0);
    return new SqliteOptions(
        sqlite.path(),
        config.store().limits().maxSize().orElse(0L),
        config.upkeep().vacuum().fullOnStart(),
        pages == 0
            ? SqliteOptions.MAX_VACUUM_PAGES
            : Math.min(pages, SqliteOptions.MAX_VACUUM_PAGES));
  }

  /// How long a stage may have work and do none before the broker is not ready (G9).
  static Duration patience(BrokerConfig config) {
    return max(config.upkeep().unhealthyInterval(), LEAST_PATIENCE);
  }

  private static Duration max(Duration one, Duration other) {
    return one.compareTo(other) < 0 ? other : one;
  }

  static List<TopicSource> sources(BrokerConfig config) {
    return config.kafka().topics().values().stream()
        .filter(topic -> !topic.produceOnly() && !topic.consumerDisabled())
        .map(topic -> source(config, topic))
        .toList();
  }

  private static TopicSource source(BrokerConfig config, TopicConfig topic) {
    TopicConfig.Consumption consumption = topic.consumption();
    return new TopicSource(
        topic.name(),
        topic.consumerGroup(),
        config.kafka().clusterOf(topic.name()).clientProperties(),
        consumption.sessionTimeout(),
        consumption.autoCommitInterval(),
        consumption.autoOffsetReset().name().toLowerCase(Locale.ROOT));
  }

  static IngestOptions ingest(BrokerConfig config, String instance) {
    return new IngestOptions(
        instance,
        config.ingest().maxDelay().toSeconds(),
        config.kafka().maxMessageSize(),
        READ_AHEAD_RECORDS,
        READ_AHEAD_BYTES,
        POLL_RECORDS);
  }

  /// The largest message to produce: one that is too large to be an activation is to reach the
  /// dead-letter topic all the same, if that takes it.
  static int largestMessage(BrokerConfig config) {
    return Math.max(config.kafka().maxMessageSize(), LARGEST_DEAD_LETTER);
  }

  /// How to reach the cluster of each topic.
  static Map<String, Map<String, String>> clusters(BrokerConfig config) {
    var clusters = new TreeMap<String, Map<String, String>>();
    for (String topic : config.kafka().topics().keySet()) {
      clusters.put(topic, config.kafka().clusterOf(topic).clientProperties());
    }
    return clusters;
  }
}
