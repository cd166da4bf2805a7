package io.taskbroker.outbox;

import io.taskbroker.activation.Destination;
import java.time.Duration;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Options of the outbox.
///
/// @param clusterOf maps a destination to the settings of Kafka's clients for its cluster, with
///   secrets; null, or an [IllegalArgumentException], if its cluster is unknown. Destinations of
///   equal settings share a producer (W41). The headers of the destination are ignored
/// @param maxMessageSize largest payload in bytes
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
