package io.taskbroker.client.grpc;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/// Pause between attempts: doubles from the first to the longest, each with jitter of up to half.
/// Not thread-safe.
final class Backoff {
  private final long firstNanos;
  private final long maxNanos;
  private long nextNanos;

  Backoff(Duration first, Duration max) {
    firstNanos = first.toNanos();
    maxNanos = max.toNanos();
    nextNanos = firstNanos;
  }

  /// The next pause in nanoseconds.
  long next() {
    long pause = nextNanos;
    nextNanos = Math.min(maxNanos, pause * 2);
    return pause - ThreadLocalRandom.current().nextLong(pause / 2 + 1);
  }

  /// Whether the pauses grow no more.
  boolean isLongest() {
    return nextNanos == maxNanos;
  }

  void reset() {
    nextNanos = firstNanos;
  }
}
