package io.taskbroker.activation;

import java.util.Map;

/// Where an activation goes that leaves the broker.
///
/// @param cluster the bootstrap servers of the cluster; empty for the one that the topic is
///   configured to be on
/// @param headers Kafka headers to send along, UTF-8; empty for retries, dead letters and demoted
///   activations (reference-spec 2.2), the circumstances of an undecodable message otherwise
public record Destination(String topic, String cluster, Map<String, String> headers) {
  public Destination {
    headers = Map.copyOf(headers);
  }

  public Destination(String topic, Map<String, String> headers) {
    this(topic, "", headers);
  }

  public static Destination of(String topic) {
    return new Destination(topic, Map.of());
  }

  /// Where a message goes that is no activation, with what there is to say of it.
  public static Destination ofUndecodable(String topic, Origin origin, String reason) {
    return new Destination(
        topic,
        Map.of(
            "taskbroker-topic", origin.topic(),
            "taskbroker-partition", Integer.toString(origin.partition()),
            "taskbroker-offset", Long.toString(origin.offset()),
            "taskbroker-reason", reason));
  }
}
