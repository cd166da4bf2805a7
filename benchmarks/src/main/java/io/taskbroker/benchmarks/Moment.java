package io.taskbroker.benchmarks;

import io.taskbroker.benchmarks.ProcessUsage.Usage;
import java.util.Map;

/// What had happened, and had been used, at one moment of a run.
///
/// @param nanos by the clock of [System#nanoTime]
/// @param allocated bytes by kind of thread of the broker; empty if it cannot be asked
/// @param metrics the broker's own counters
record Moment(
    long nanos,
    int completed,
    Usage broker,
    Usage kafka,
    Usage load,
    Map<String, Long> allocated,
    Map<String, Double> metrics) {

  double secondsSince(Moment before) {
    return (nanos - before.nanos) / 1e9;
  }
}
