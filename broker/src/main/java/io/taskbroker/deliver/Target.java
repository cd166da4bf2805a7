package io.taskbroker.deliver;

import java.net.InetSocketAddress;
import java.util.random.RandomGenerator;

/// One worker address and its connection health. It may be one worker, or a balancer in front of
/// many. Used by the event loop.
final class Target {
  private static final long PAUSE_MIN_NANOS = 50_000_000;
  private static final long PAUSE_MAX_NANOS = 1_000_000_000;

  final InetSocketAddress address;

  /// Connections that accept calls, now or once connected.
  int connections;

  /// Connections still connecting.
  int connecting;

  /// Connections without any response for a whole call timeout, whose replacements are not trusted
  /// yet.
  int hung;

  /// Times of the last connection attempt, the last failed attempt, and the last broken connection.
  long openedAt;

  private long failedAt;
  private long brokeAt;
  private long pausedUntil;
  private int failures;

  Target(InetSocketAddress address, long now) {
    this.address = address;
    this.openedAt = now;
    this.failedAt = now - Long.MAX_VALUE / 2; // never
    this.brokeAt = now - PAUSE_MAX_NANOS;
    this.pausedUntil = now;
  }

  boolean isPaused(long now) {
    return now - pausedUntil < 0;
  }

  boolean failedSince(long time) {
    return failedAt - time >= 0;
  }

  void failed(long now, RandomGenerator random) {
    failedAt = now;
    long longest = Math.min(PAUSE_MAX_NANOS, PAUSE_MIN_NANOS << Math.min(failures, 10));
    failures++;
    pausedUntil = now + longest / 2 + random.nextLong(longest / 2 + 1);
  }

  void reached() {
    failures = 0;
  }

  /// Records a broken connection.
  ///
  /// @return whether this is the first of a burst: when a worker dies, all of its connections break
  boolean broke(long now) {
    boolean first = now - brokeAt >= 2 * PAUSE_MIN_NANOS;
    if (first) {
      brokeAt = now;
    }
    return first;
  }
}
