package io.taskbroker.inflight;

import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.EngineStats;
import java.util.ArrayList;
import java.util.List;

/// Number of tasks in flight by class, of an [EngineStats].
///
/// @param parked on disk only
/// @param memoryBytes bytes of memory that they take
record Depths(
    int pending, int delayed, int handedOut, int forwarding, int parked, long memoryBytes) {
  static Depths of(Engine engine) {
    List<EngineStats> answer = new ArrayList<>();
    engine.apply(new Command.ReadStats(answer::add));
    EngineStats stats = answer.getFirst();
    return new Depths(
        stats.pending(),
        stats.delayed(),
        stats.claimed() + stats.processing(),
        stats.forwarding(),
        stats.parked(),
        stats.memoryBytes());
  }
}
