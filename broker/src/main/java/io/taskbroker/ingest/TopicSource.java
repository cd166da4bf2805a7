package io.taskbroker.ingest;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/// A topic to read, and how (reference-spec 3.5).
///
/// @param clientProperties where the cluster is and how to authenticate, under the keys of
///   kafka-clients; may hold secrets
/// @param sessionTimeout how long a broker that fell silent keeps its partitions
/// @param autoCommitInterval how long an offset waits for its commit at most
/// @param autoOffsetReset `latest` or `earliest`: where to begin a topic that was never read
/// @param raw what its records are arguments of, if they are not activations
public record TopicSource(
    String topic,
    String group,
    Map<String, String> clientProperties,
    Duration sessionTimeout,
    Duration autoCommitInterval,
    String autoOffsetReset,
    Optional<RawTask> raw) {

  /// A topic whose records are activations.
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

  /// The addresses of the cluster.
  String bootstrap() {
    return bootstrap(clientProperties);
  }

  ResetPolicy resetPolicy() {
    return ResetPolicy.of(autoOffsetReset);
  }

  private static String bootstrap(Map<String, String> properties) {
    return properties.getOrDefault("bootstrap.servers", "");
  }

  /// Without the properties: they may hold secrets.
  @Override
  public String toString() {
    return "topic " + topic + " of " + bootstrap() + ", group " + group;
  }
}
