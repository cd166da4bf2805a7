package io.taskbroker.inflight;

import io.taskbroker.inflight.api.EngineStats;

/// Reader of the engine's figures.
final class StatsReader {
  private StatsReader() {}

  static EngineStats read(EngineState state) {
    int pending = 0;
    int handedOut = 0;
    long oldest = state.wall;
    for (ApplicationQueue queue : state.queues.all()) {
      pending += queue.pending;
      handedOut += queue.handedOut;
      InFlightTask first = queue.ready.oldest();
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
