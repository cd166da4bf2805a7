package io.taskbroker.benchmarks;

import io.taskbroker.benchmarks.ProcessUsage.Usage;
import java.util.Map;

/// Snapshot of counters and resource usage during a run.
///
/// @param nanos on the clock of [System#nanoTime]
/// @param allocated bytes by kind of thread of the broker; empty if unavailable
/// @param metrics counters of the broker
record RunSnapshot(
    long nanos,
    int completed,
    Usage broker,
    Usage kafka,
    Usage load,
    Map<String, Long> allocated,
    Map<String, Double> metrics) {

  double secondsSince(RunSnapshot before) {
    return (nanos - before.nanos) / 1e9;
  }
}
