package io.taskbroker.inflight;

/// How much there is in the engine at one moment, in activations. Counting takes as long as there
/// are applications, not activations.
///
/// @param claimed on their way to a worker
/// @param processing that workers have
/// @param leaving that wait for Kafka
/// @param quarantined that Kafka refused
/// @param parked on disk only
/// @param outstanding changes that are not durable yet
/// @param memoryBytes bytes of memory that they take, [InFlightTask#OVERHEAD_BYTES] of each
///   included
/// @param oldestMillis the age of the oldest that is ready to run, 0 if there is none
public record EngineStats(
    int pending,
    int claimed,
    int processing,
    int delayed,
    int forwarding,
    int quarantined,
    int parked,
    int outstanding,
    long memoryBytes,
    long oldestMillis) {
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
        state.parked.size(),
        state.outstanding(),
        state.memory.bytes(),
        state.wall - oldest);
  }
}
