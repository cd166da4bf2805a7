package io.taskbroker.ingest;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/// Topic to read, with the options for it (reference-spec 3.5).
///
/// @param clientProperties address of the cluster and how to authenticate, under the keys of
///   kafka-clients; may hold secrets
/// @param sessionTimeout how long a silent broker keeps its partitions
/// @param autoCommitInterval longest time that an offset waits for its commit
/// @param autoOffsetReset `latest` or `earliest`: where to start a topic that was never read
/// @param raw the task whose arguments the records are; empty if the records are activations
public record TopicSource(
    String topic,
    String group,
    Map<String, String> clientProperties,
    Duration sessionTimeout,
    Duration autoCommitInterval,
    String autoOffsetReset,
    Optional<RawTask> raw) {

  /// Source of a topic whose records are activations.
  public TopicSource(
      String topic,
      String group,
      Map<String, String> clientProperties,
      Duration sessionTimeout,
      Duration autoCommitInterval,
      String autoOffsetReset) {
    this(
        topic,
        group,
        clientProperties,
        sessionTimeout,
        autoCommitInterval,
        autoOffsetReset,
        Optional.empty());
  }

  public TopicSource {
    clientProperties = Map.copyOf(clientProperties);
    ResetPolicy.of(autoOffsetReset);
    if (bootstrap(clientProperties).isEmpty()) {
      throw new IllegalArgumentException("Topic " + topic + " has no bootstrap.servers");
    }
  }

  /// Bootstrap servers of the cluster.
  String bootstrap() {
    return bootstrap(clientProperties);
  }

  ResetPolicy resetPolicy() {
    return ResetPolicy.of(autoOffsetReset);
  }

  private static String bootstrap(Map<String, String> properties) {
    return properties.getOrDefault("bootstrap.servers", "");
  }

  /// Omits the properties: they may hold secrets.
  @Override
  public String toString() {
    return "topic " + topic + " of " + bootstrap() + ", group " + group;
  }
}
