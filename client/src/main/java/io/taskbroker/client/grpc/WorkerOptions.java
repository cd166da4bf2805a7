package io.taskbroker.client.grpc;

import java.util.List;
import java.util.function.IntSupplier;

/// Description of a worker, which it sends to brokers.
///
/// @param namespaces all if empty
/// @param most tasks at once at one broker
/// @param slots those of them that may be used now
/// @param name in logs and lists of the broker
public record WorkerOptions(
    String application,
    List<String> namespaces,
    int most,
    IntSupplier slots,
    String name,
    String version) {
  public WorkerOptions {
    namespaces = List.copyOf(namespaces);
  }

  /// Slots that may be used now.
  int slotsNow() {
    return Math.min(most, slots.getAsInt());
  }
}
