package io.taskbroker.config;

import static io.taskbroker.config.DurationTypes.millis;
import static io.taskbroker.config.KeyType.bool;
import static io.taskbroker.config.KeyType.count;
import static io.taskbroker.config.KeyType.filledText;
import static io.taskbroker.config.KeyType.oneOf;
import static io.taskbroker.config.KeyType.optional;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// Configuration keys: settings of all topics.
final class KafkaKeys {
  static final KeyTable<BrokerConfig> TABLE = new KeyTable<>("Kafka", "Settings of all topics");

  static final Key<BrokerConfig, Boolean> KAFKA_ENABLED =
      TABLE.key(
          "kafka_enabled",
          bool(),
          true,
          "Whether the broker reads and writes Kafka topics. Without it, tasks come from clients"
              + " that enqueue them, and those that fail for good are discarded, or kept if their"
              + " policy is to dead-letter them; all other Kafka settings are ignored",
          c -> c.kafka().isEnabled());

  static final Key<BrokerConfig, String> KAFKA_DEADLETTER_TOPIC =
      TABLE.key(
          "kafka_deadletter_topic",
          filledText(),
          "taskworker-dlq",
          "Dead-letter topic; a declared topic",
          c -> c.kafka().deadletterTopic());

  static final Key<BrokerConfig, Optional<String>> KAFKA_RETRY_TOPIC =
      TABLE.key(
          "kafka_retry_topic",
          optional(filledText()),
          Optional.empty(),
          "Topic of retries; a declared topic. Defaults to the consumed topic if there is only one",
          c -> Optional.of(c.kafka().retryTopic()));

  static final Key<BrokerConfig, String> KAFKA_LONG_TOPIC =
      TABLE.key(
          "kafka_long_topic",
          filledText(),
          "taskworker-long",
          "Default topic of demoted tasks",
          c -> c.kafka().longTopic());

  static final Key<BrokerConfig, Boolean> CREATE_MISSING_TOPICS =
      TABLE.key(
          "create_missing_topics",
          bool(),
          false,
          "Whether missing declared topics are created at start, with one replica",
          c -> c.kafka().creation().createMissing());

  static final Key<BrokerConfig, Integer> DEFAULT_TOPIC_PARTITIONS =
      TABLE.key(
          "default_topic_partitions",
          count(1),
          1,
          "Number of partitions of created topics",
          c -> c.kafka().creation().defaultPartitions());

  static final Key<BrokerConfig, Duration> KAFKA_SESSION_TIMEOUT_MS =
      TABLE.key(
          "kafka_session_timeout_ms",
          millis(1),
          Duration.ofSeconds(6),
          "Consumer session timeout: a silent consumer loses its partitions after this time",
          c -> c.kafka().consumption().sessionTimeout());

  static final Key<BrokerConfig, Duration> KAFKA_AUTO_COMMIT_INTERVAL_MS =
      TABLE.key(
          "kafka_auto_commit_interval_ms",
          millis(0),
          Duration.ofSeconds(5),
          "Offset commit interval",
          c -> c.kafka().consumption().autoCommitInterval());

  static final Key<BrokerConfig, OffsetReset> KAFKA_AUTO_OFFSET_RESET =
      TABLE.key(
          "kafka_auto_offset_reset",
          offsetReset(),
          OffsetReset.LATEST,
          KeyDoc.noted(
              "Start position of a consumer group without committed offsets",
              "`latest` is resolved once per topic and committed at once: records that arrive"
                  + " while no broker runs are not skipped"),
          c -> c.kafka().consumption().autoOffsetReset());

  static final Key<BrokerConfig, Duration> KAFKA_SEND_TIMEOUT_MS =
      TABLE.key(
          "kafka_send_timeout_ms",
          millis(0),
          Duration.ofMillis(500),
          KeyDoc.unused(
              "Maximum wait for room in the producer's queue",
              "forwarded tasks wait in the store until Kafka acknowledges them"),
          c -> c.kafka().sendTimeout());

  static final Key<BrokerConfig, Integer> MAX_MESSAGE_SIZE =
      TABLE.key(
          "max_message_size",
          count(1),
          5_000_000,
          KeyDoc.noted(
              "Maximum size of a Kafka message, in bytes",
              "larger messages go to the dead-letter topic"),
          c -> c.kafka().maxMessageSize());

  private KafkaKeys() {}

  /// Values accepted by the reference's Kafka client.
  private static KeyType<OffsetReset> offsetReset() {
    var words = new LinkedHashMap<String, OffsetReset>();
    for (String word : List.of("earliest", "smallest", "beginning")) {
      words.put(word, OffsetReset.EARLIEST);
    }
    for (String word : List.of("latest", "largest", "end")) {
      words.put(word, OffsetReset.LATEST);
    }
    return oneOf(words, reset -> reset.name().toLowerCase(Locale.ROOT));
  }
}
