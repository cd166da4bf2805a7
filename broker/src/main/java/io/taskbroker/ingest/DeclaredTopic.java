package io.taskbroker.ingest;

import java.util.Map;

/// Topic that must exist.
///
/// @param clientProperties address of its cluster and how to authenticate, under the keys of
///   kafka-clients; may hold secrets
/// @param partitions number of partitions to create it with if it is missing; 0 if the broker must
///   not create it
/// @param unread whether the topic would be consumed if its consumer were enabled
public record DeclaredTopic(
    String name, Map<String, String> clientProperties, int partitions, boolean unread) {
  public DeclaredTopic {
    clientProperties = Map.copyOf(clientProperties);
    if (partitions < 0) {
      throw new IllegalArgumentException(
          "Topic " + name + " cannot have " + partitions + " partitions");
    }
  }

  boolean mayBeCreated() {
    return partitions > 0;
  }

  /// Omits the properties: they may hold secrets.
  @Override
  public String toString() {
    return "topic " + name;
  }
}
