package io.taskbroker.outbox;

import java.time.Duration;
import java.util.Map;
import java.util.function.Function;

/// What the outbox needs to know.
///
/// @param clusterOf gives the settings of Kafka's clients that reach the cluster of a topic, with
///   secrets; throws an exception if no cluster is known for the topic. Topics of equal settings
///   share a producer
/// @param maxMessageSize bytes of a payload at most
/// @param stopTimeout how long [Outbox#stop] waits for acknowledgements
public record OutboxOptions(
    Function<String, Map<String, String>> clusterOf, int maxMessageSize, Duration stopTimeout) {
  private static final Duration STOP_TIMEOUT = Duration.ofSeconds(3);

  public OutboxOptions(Function<String, Map<String, String>> clusterOf, int maxMessageSize) {
    this(clusterOf, maxMessageSize, STOP_TIMEOUT);
  }
}
