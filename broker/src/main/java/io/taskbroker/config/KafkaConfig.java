package io.taskbroker.config;

import java.time.Duration;
import java.util.Map;

/// Topics and their clusters.
///
/// @param topics by name; at least one of them is consumed; empty if Kafka is not used
/// @param clusters by name; empty if Kafka is not used
/// @param deadletterTopic one of `topics`
/// @param retryTopic one of `topics`
/// @param longTopic default topic of demoted tasks; need not be one of `topics`
/// @param maxMessageSize maximum message size in bytes
/// @param sendTimeout accepted for compatibility and unused: producing is retried indefinitely (W6)
public record KafkaConfig(
    Map<String, TopicConfig> topics,
    Map<String, ClusterConfig> clusters,
    String deadletterTopic,
    String retryTopic,
    String longTopic,
    Creation creation,
    TopicConfig.Consumption consumption,
    int maxMessageSize,
    Duration sendTimeout) {

  /// Creation of topics.
  ///
  /// @param createMissing whether declared topics that do not exist are created at start
  public record Creation(boolean createMissing, int defaultPartitions) {}

  /// Whether Kafka is used.
  public boolean isEnabled() {
    return !topics.isEmpty();
  }

  /// The cluster of a declared topic.
  ///
  /// @throws IllegalArgumentException if there is no such topic
  public ClusterConfig clusterOf(String topic) {
    TopicConfig declared = topics.get(topic);
    ClusterConfig cluster = declared == null ? null : clusters.get(declared.cluster());
    if (cluster == null) {
      throw new IllegalArgumentException("Topic " + topic + " is not declared in kafka_topics");
    }
    return cluster;
  }
}
