package io.taskbroker.runtime;

import java.time.Duration;
import java.util.random.RandomGenerator;

/// How long to wait before the next try: doubles from try to try up to a bound, with a jitter of up
/// to half of it, so that those who failed together do not try again together. Confined to one
/// thread.
public final class Backoff {
  private final long min;
  private final long max;
  private final RandomGenerator random;
  private long next;

  /// @param min the first wait, more than nothing
  /// @param max no wait is longer
  public Backoff(Duration min, Duration max, RandomGenerator random) {
    if (min.toNanos() <= 0 || max.compareTo(min) < 0) {
      throw new IllegalArgumentException("No backoff goes from " + min + " to " + max);
    }
    this.min = min.toNanos();
    this.max = max.toNanos();
    this.random = random;
    this.next = this.min;
  }

  /// Nanoseconds to wait now, from half of this try's full wait to all of it.
  public long nextNanos() {
    long full = next;
    next = full > max / 2 ? max : full * 2;
    return full - random.nextLong(full / 2 + 1);
  }

  /// The next try begins anew.
  public void reset() {
    next = min;
  }
}
