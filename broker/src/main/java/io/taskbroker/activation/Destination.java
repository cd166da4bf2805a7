package io.taskbroker.activation;

import java.time.Instant;
import java.util.HashMap;
import java.util.Map;

/// Destination of a forwarded task.
///
/// @param cluster bootstrap servers of the cluster; empty for the configured cluster of the topic
/// @param headers Kafka headers, UTF-8: reason and origin of a dead letter; empty for retries and
///   demoted tasks (reference-spec 2.2)
public record Destination(String topic, String cluster, Map<String, String> headers) {
  private static final int MAX_REASON = 1_000;

  public Destination {
    headers = Map.copyOf(headers);
  }

  public Destination(String topic, Map<String, String> headers) {
    this(topic, "", headers);
  }

  public static Destination of(String topic) {
    return new Destination(topic, Map.of());
  }

  /// Destination of a message that does not decode, with its failure headers.
  ///
  /// @param at time of the decision, milliseconds since the epoch
  public static Destination ofUndecodable(String topic, Origin origin, String reason, long at) {
    return new Destination(topic, failureHeaders(origin, reason, at));
  }

  /// Destination of a dead letter, with its failure headers and task identity.
  ///
  /// @param at time of the decision, milliseconds since the epoch
  public static Destination ofDeadLetter(String topic, Activation failed, String reason, long at) {
    Map<String, String> headers = failureHeaders(failed.origin(), reason, at);
    TaskIdentity identity = TaskIdentity.of(failed);
    headers.put(TaskIdentity.FIRST_ID_HEADER, identity.firstId());
    headers.put("taskbroker-attempts", Long.toString(identity.attempt()));
    return new Destination(topic, headers);
  }

  private static Map<String, String> failureHeaders(Origin origin, String reason, long at) {
    var headers = new HashMap<String, String>();
    headers.put("taskbroker-reason", reason.substring(0, Math.min(reason.length(), MAX_REASON)));
    headers.put("taskbroker-failed-at", Instant.ofEpochMilli(at).toString());
    headers.put("taskbroker-topic", origin.topic());
    if (origin.partition() >= 0) {
      headers.put("taskbroker-partition", Integer.toString(origin.partition()));
      headers.put("taskbroker-offset", Long.toString(origin.offset()));
    }
    return headers;
  }

  /// Total characters of the header names and values.
  public int headerLength() {
    int length = 0;
    for (Map.Entry<String, String> header : headers.entrySet()) {
      length += header.getKey().length() + header.getValue().length();
    }
    return length;
  }
}
