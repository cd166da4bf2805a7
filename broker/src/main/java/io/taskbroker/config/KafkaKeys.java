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

/// The keys of an area: What holds for all topics.
final class KafkaKeys {
  static final KeyTable<BrokerConfig> TABLE = new KeyTable<>("Kafka", "What holds for all topics");

  static final Key<BrokerConfig, String> KAFKA_DEADLETTER_TOPIC =
      TABLE.key(
          "kafka_deadletter_topic",
          filledText(),
          "taskworker-dlq",
          "Where tasks go that failed for good; a declared topic",
          c -> c.kafka().deadletterTopic());

  static final Key<BrokerConfig, Optional<String>> KAFKA_RETRY_TOPIC =
      TABLE.key(
          "kafka_retry_topic",
          optional(filledText()),
          Optional.empty(),
          "Where retries go; a declared topic. By default the consumed topic, if there is one only",
          c -> Optional.of(c.kafka().retryTopic()));

  static final Key<BrokerConfig, String> KAFKA_LONG_TOPIC =
      TABLE.key(
          "kafka_long_topic",
          filledText(),
          "taskworker-long",
          "Where demoted tasks go by default",
          c -> c.kafka().longTopic());

  static final Key<BrokerConfig, Boolean> CREATE_MISSING_TOPICS =
      TABLE.key(
          "create_missing_topics",
          bool(),
          false,
          "Whether declared topics that do not exist are created at start, with one replica",
          c -> c.kafka().creation().createMissing());

  static final Key<BrokerConfig, Integer> DEFAULT_TOPIC_PARTITIONS =
      TABLE.key(
          "default_topic_partitions",
          count(1),
          1,
          "Partitions of a topic that is created",
          c -> c.kafka().creation().defaultPartitions());

  static final Key<BrokerConfig, Duration> KAFKA_SESSION_TIMEOUT_MS =
      TABLE.key(
          "kafka_session_timeout_ms",
          millis(1),
          Duration.ofSeconds(6),
          "After which a consumer that is silent loses its partitions",
          c -> c.kafka().consumption().sessionTimeout());

  static final Key<BrokerConfig, Duration> KAFKA_AUTO_COMMIT_INTERVAL_MS =
      TABLE.key(
          "kafka_auto_commit_interval_ms",
          millis(0),
          Duration.ofSeconds(5),
          "How often offsets are committed",
          c -> c.kafka().consumption().autoCommitInterval());

  static final Key<BrokerConfig, OffsetReset> KAFKA_AUTO_OFFSET_RESET =
      TABLE.key(
          "kafka_auto_offset_reset",
          offsetReset(),
          OffsetReset.LATEST,
          KeyDoc.noted(
              "Where a consumer group begins that has committed nothing",
              "`latest` is resolved once for a topic, and committed at once: nothing that arrives"
                  + " while no broker runs is skipped"),
          c -> c.kafka().consumption().autoOffsetReset());

  static final Key<BrokerConfig, Duration> KAFKA_SEND_TIMEOUT_MS =
      TABLE.key(
          "kafka_send_timeout_ms",
          millis(0),
          Duration.ofMillis(500),
          KeyDoc.unused(
              "How long a message may wait for a place in the producer's queue",
              "what must leave waits in the store until Kafka has it"),
          c -> c.kafka().sendTimeout());

  static final Key<BrokerConfig, Integer> MAX_MESSAGE_SIZE =
      TABLE.key(
          "max_message_size",
          count(1),
          5_000_000,
          KeyDoc.noted(
              "Bytes of a Kafka message at most", "a larger one goes to the dead-letter topic"),
          c -> c.kafka().maxMessageSize());

  private KafkaKeys() {}

  /// The words of the reference's Kafka client.
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
