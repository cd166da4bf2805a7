package io.taskbroker.outbox;

import io.taskbroker.activation.Destination;
import java.time.Duration;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// What the outbox needs to know.
///
/// @param clusterOf gives the settings of Kafka's clients that reach the cluster of a destination,
///   with secrets; null, or an [IllegalArgumentException], if no cluster is known for it.
///   Destinations of equal settings share a producer (W41). The headers are not looked at
/// @param maxMessageSize bytes of a payload at most
/// @param stopTimeout how long [Outbox#stop] waits for acknowledgements
public record OutboxOptions(
    Function<Destination, @Nullable Map<String, String>> clusterOf,
    int maxMessageSize,
    Duration stopTimeout) {
  private static final Duration STOP_TIMEOUT = Duration.ofSeconds(3);

  public OutboxOptions(
      Function<Destination, @Nullable Map<String, String>> clusterOf, int maxMessageSize) {
    this(clusterOf, maxMessageSize, STOP_TIMEOUT);
  }
}
