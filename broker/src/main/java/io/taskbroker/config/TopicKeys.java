package io.taskbroker.config;

import static io.taskbroker.config.KeyType.bool;
import static io.taskbroker.config.KeyType.filledText;

import java.time.Duration;

/// Configuration keys: entries of `kafka_topics`.
final class TopicKeys {
  static final KeyTable<TopicConfig> TABLE = new KeyTable<>("Topics", "An entry of `kafka_topics`");

  static final Key<TopicConfig, String> TOPIC_CLUSTER =
      TABLE.required(
          "cluster",
          filledText(),
          "",
          "Name of its cluster in kafka_clusters",
          TopicConfig::cluster);

  static final Key<TopicConfig, String> TOPIC_CONSUMER_GROUP =
      TABLE.required(
          "consumer_group", filledText(), "", "Consumer group", TopicConfig::consumerGroup);

  static final Key<TopicConfig, Boolean> TOPIC_PRODUCE_ONLY =
      TABLE.key(
          "produce_only",
          bool(),
          false,
          "Whether the topic is only produced to",
          TopicConfig::produceOnly);

  static final Key<TopicConfig, Boolean> TOPIC_CONSUMER_DISABLED =
      TABLE.key(
          "consumer_disabled",
          bool(),
          false,
          "Whether the broker currently stays out of the consumer group",
          TopicConfig::consumerDisabled);

  static final Key<TopicConfig, Duration> TOPIC_SESSION_TIMEOUT_MS =
      TABLE.add(
          KafkaKeys.KAFKA_SESSION_TIMEOUT_MS.as(
              "session_timeout_ms",
              Duration.ofSeconds(6),
              topic -> topic.consumption().sessionTimeout()));

  static final Key<TopicConfig, Duration> TOPIC_AUTO_COMMIT_INTERVAL_MS =
      TABLE.add(
          KafkaKeys.KAFKA_AUTO_COMMIT_INTERVAL_MS.as(
              "auto_commit_interval_ms",
              Duration.ofSeconds(5),
              topic -> topic.consumption().autoCommitInterval()));

  static final Key<TopicConfig, OffsetReset> TOPIC_AUTO_OFFSET_RESET =
      TABLE.add(
          KafkaKeys.KAFKA_AUTO_OFFSET_RESET.as(
              "auto_offset_reset",
              OffsetReset.LATEST,
              topic -> topic.consumption().autoOffsetReset()));

  private TopicKeys() {}
}
