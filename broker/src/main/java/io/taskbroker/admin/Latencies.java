package io.taskbroker.admin;

import io.taskbroker.telemetry.Distribution;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/// Percentiles of how long tasks waited and ran over about the last minute, from samples of the
/// broker's histograms. Thread-safe: one lock.
final class Latencies {
  private static final int KEPT = 13;

  private final ArrayDeque<Sample> samples = new ArrayDeque<>();

  private record Sample(long nanos, Distribution waiting, Distribution running) {}

  /// Adds a sample; about every five seconds.
  synchronized void add(Distribution waiting, Distribution running, long nanos) {
    if (samples.size() == KEPT) {
      samples.removeFirst();
    }
    samples.addLast(new Sample(nanos, waiting, running));
  }

  /// Percentiles between the first and the last sample.
  synchronized Views.Latency view() {
    @Nullable Sample first = samples.peekFirst();
    @Nullable Sample last = samples.peekLast();
    if (first == null || last == null) {
      return new Views.Latency(percentiles(Distribution.NONE), percentiles(Distribution.NONE), 0);
    }
    return new Views.Latency(
        percentiles(last.waiting().since(first.waiting())),
        percentiles(last.running().since(first.running())),
        (last.nanos() - first.nanos()) / 1e9);
  }

  private static Views.Percentiles percentiles(Distribution times) {
    return new Views.Percentiles(
        times.count(), seconds(times, 0.5), seconds(times, 0.95), seconds(times, 0.99));
  }

  private static Optional<Double> seconds(Distribution times, double share) {
    OptionalDouble found = times.quantile(share);
    return found.isPresent() ? Optional.of(found.getAsDouble()) : Optional.empty();
  }
}
