package io.taskbroker.inflight.api;

import java.util.List;
import java.util.Map;

/// Figures of the engine at one moment, in activations. Counting takes time per application and
/// task name, not per activation.
///
/// @param claimed being delivered to a worker
/// @param processing with a worker
/// @param forwarding waiting for Kafka
/// @param quarantined that cannot be produced
/// @param quarantinedTopics quarantined activations by destination topic
/// @param parked on disk only
/// @param outstanding changes that are not durable yet
/// @param memoryBytes bytes of memory of the activations, with an overhead for each
/// @param oldestMillis age of the oldest ready activation, 0 if there is none
/// @param tasks the same by application and task name, without parked activations, whose names are
///   not in memory
public record EngineStats(
    int pending,
    int claimed,
    int processing,
    int delayed,
    int forwarding,
    int quarantined,
    Map<String, Integer> quarantinedTopics,
    int parked,
    int outstanding,
    long memoryBytes,
    long oldestMillis,
    List<Task> tasks) {
  /// Figures of one task name in memory, and its outcomes since the start; past a bound of some
  /// hundreds, of all other names together, as `other`.
  ///
  /// @param namespace of the first task of that name; empty for `other`
  /// @param failed for good: discarded, or being dead-lettered
  /// @param retried retries that Kafka acknowledged
  /// @param deadLettered dead letters that Kafka acknowledged
  public record Task(
      String application,
      String taskname,
      String namespace,
      int pending,
      int delayed,
      int claimed,
      int processing,
      long completed,
      long failed,
      long retried,
      long deadLettered) {}

  public EngineStats {
    tasks = List.copyOf(tasks);
  }
}
