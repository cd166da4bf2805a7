package io.taskbroker.inflight;

import java.util.List;
import java.util.Map;

/// How much there is in the engine at one moment, in activations. Counting takes as long as there
/// are applications and tasks, not activations.
///
/// @param claimed on their way to a worker
/// @param processing that workers have
/// @param forwarding that wait for Kafka
/// @param quarantined that cannot be produced
/// @param quarantinedTopics how many of those there are of each topic that they are for
/// @param parked on disk only
/// @param outstanding changes that are not durable yet
/// @param memoryBytes bytes of memory that they take, [InFlightTask#OVERHEAD_BYTES] of each
///   included
/// @param oldestMillis the age of the oldest that is ready to run, 0 if there is none
/// @param tasks the same by application and task, but for what is parked, which has no name in
///   memory
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
  /// What is in memory of one task, and what became of it since the start; past a bound of some
  /// hundreds, of all others together, as `other`.
  ///
  /// @param failed for good, discarded or to be dead letters
  /// @param retried of which Kafka has the retry
  /// @param deadLettered that Kafka has as dead letters
  public record Task(
      String application,
      String taskname,
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

  static EngineStats of(EngineState state) {
    int pending = 0;
    int handedOut = 0;
    long oldest = state.wall;
    for (ApplicationQueue queue : state.queues.all()) {
      pending += queue.pending;
      handedOut += queue.handedOut;
      InFlightTask first = queue.oldest(null);
      if (first != null) {
        oldest = Math.min(oldest, first.activation.receivedAt());
      }
    }
    return new EngineStats(
        pending,
        state.claimed,
        handedOut - state.claimed,
        state.delayed,
        state.forwarding,
        state.quarantined.size(),
        state.quarantined.byTopic(),
        state.parked.size(),
        state.outstanding(),
        state.memory.bytes(),
        state.wall - oldest,
        state.counters.snapshot());
  }
}
