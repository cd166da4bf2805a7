package io.taskbroker.deliver;

import io.taskbroker.inflight.api.PushResult;
import io.taskbroker.runtime.Backoff;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.random.RandomGenerator;

/// One worker address and its connection health. It may be one worker, or a balancer in front of
/// many. Used by the event loop.
final class Target {
  private static final Duration PAUSE_MIN = Duration.ofMillis(50);
  private static final Duration PAUSE_MAX = Duration.ofSeconds(1);

  final InetSocketAddress address;

  /// Result of the calls that it accepts.
  final PushResult accepted;

  /// Connections that accept calls, now or once connected.
  int connections;

  /// Connections still connecting.
  int connecting;

  /// Connections without any response for a whole call timeout, whose replacements are not trusted
  /// yet.
  int hung;

  /// Times of the last connection attempt, the last failed attempt, and the last broken connection.
  long openedAt;

  /// Whether the latest attempt to connect failed.
  boolean unreachable;

  private long failedAt;
  private long brokeAt;
  private long pausedUntil;
  private final Backoff backoff;

  Target(InetSocketAddress address, RandomGenerator random, long now) {
    this.address = address;
    this.accepted = PushResult.accepted(address.getHostString() + ":" + address.getPort());
    this.backoff = new Backoff(PAUSE_MIN, PAUSE_MAX, random);
    this.openedAt = now;
    this.failedAt = now - Long.MAX_VALUE / 2; // never
    this.brokeAt = now - PAUSE_MAX.toNanos();
    this.pausedUntil = now;
  }

  boolean isPaused(long now) {
    return now - pausedUntil < 0;
  }

  boolean failedSince(long time) {
    return failedAt - time >= 0;
  }

  void failed(long now) {
    unreachable = true;
    failedAt = now;
    pausedUntil = now + backoff.nextNanos();
  }

  void reached() {
    unreachable = false;
    backoff.reset();
  }

  /// Records a broken connection.
  ///
  /// @return whether this is the first of a burst: when a worker dies, all of its connections break
  boolean broke(long now) {
    boolean first = now - brokeAt >= 2 * PAUSE_MIN.toNanos();
    if (first) {
      brokeAt = now;
    }
    return first;
  }
}
