package io.taskbroker.runtime;

import java.time.Duration;
import java.util.random.RandomGenerator;

/// Exponential backoff with jitter: the delay doubles with each try up to a maximum, minus a random
/// part of up to half of it, so that callers that failed together do not retry together. Confined
/// to one thread.
public final class Backoff {
  private final long min;
  private final long max;
  private final RandomGenerator random;
  private long next;

  /// @param min the first delay; positive
  /// @param max upper bound of the delay
  public Backoff(Duration min, Duration max, RandomGenerator random) {
    if (min.toNanos() <= 0 || max.compareTo(min) < 0) {
      throw new IllegalArgumentException("Invalid backoff bounds: " + min + " to " + max);
    }
    this.min = min.toNanos();
    this.max = max.toNanos();
    this.random = random;
    this.next = this.min;
  }

  /// Delay before the next try in nanoseconds: between half of the full delay and all of it.
  public long nextNanos() {
    long full = next;
    next = full > max / 2 ? max : full * 2;
    return full - random.nextLong(full / 2 + 1);
  }

  /// Restarts at the minimum delay.
  public void reset() {
    next = min;
  }
}
