package io.taskbroker.ingest;

import java.util.Map;

/// A topic that is to exist.
///
/// @param clientProperties where its cluster is and how to authenticate, under the keys of
///   kafka-clients; may hold secrets
/// @param partitions how many it gets if it is missing; 0 if it is not to be created
/// @param unread whether it would be consumed, were its consumer not disabled
public record DeclaredTopic(
    String name, Map<String, String> clientProperties, int partitions, boolean unread) {
  public DeclaredTopic {
    clientProperties = Map.copyOf(clientProperties);
    if (partitions < 0) {
      throw new IllegalArgumentException("Topic " + name + " cannot have " + partitions);
    }
  }

  boolean mayBeCreated() {
    return partitions > 0;
  }

  /// Without the properties: they may hold secrets.
  @Override
  public String toString() {
    return "topic " + name;
  }
}
