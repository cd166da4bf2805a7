package io.taskbroker.deliver;

import java.net.InetSocketAddress;
import java.util.random.RandomGenerator;

/// One address of workers, and how connecting to it goes. Behind it may be one worker, or a
/// balancer with many. Used by the event loop.
final class Target {
  private static final long PAUSE_MIN_NANOS = 50_000_000;
  private static final long PAUSE_MAX_NANOS = 1_000_000_000;

  final InetSocketAddress address;

  /// Connections that calls may be sent on, now or once they are made.
  int connections;

  /// Those of them that are being made.
  int connecting;

  /// Connections that answered nothing for the whole timeout of a call, and whose successors are
  /// not trusted yet.
  int hung;

  /// When one was last begun, when one last could not be made, and when one last broke.
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

  /// A connection broke.
  ///
  /// @return whether that is news: as a worker dies all of its connections break
  boolean broke(long now) {
    boolean news = now - brokeAt >= 2 * PAUSE_MIN_NANOS;
    if (news) {
      brokeAt = now;
    }
    return news;
  }
}
