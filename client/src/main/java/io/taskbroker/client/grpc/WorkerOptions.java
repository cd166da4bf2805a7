package io.taskbroker.client.grpc;

import java.util.List;

/// How a worker introduces itself.
///
/// @param namespaces all if empty
/// @param slots tasks at once at one broker
/// @param name in logs and lists of the broker
public record WorkerOptions(
    String application, List<String> namespaces, int slots, String name, String version) {
  public WorkerOptions {
    namespaces = List.copyOf(namespaces);
  }
}
