package io.taskbroker.grpc;

import java.util.concurrent.TimeUnit;

/// Rate limit with a burst, as the time until which what was spent is paid (a leaky bucket). Not
/// thread-safe.
final class RateLimit {
  private final long interval;
  private final long burst;
  private long paidUntil;

  /// @param perSecond what may be spent for ever
  /// @param burst what may be spent at once
  RateLimit(int perSecond, int burst, long now) {
    this.interval = TimeUnit.SECONDS.toNanos(1) / perSecond;
    this.burst = burst * interval;
    this.paidUntil = now;
  }

  /// Spends, and says whether that was within the limit.
  boolean spend(int cost, long now) {
    paidUntil = (paidUntil - now < 0 ? now : paidUntil) + cost * interval;
    return paidUntil - now <= burst;
  }

  /// Whether more than a part of the burst is spent.
  boolean isBeyond(int part, long now) {
    return paidUntil - now > burst / part;
  }

  /// Gives back what was spent.
  void earn(int cost) {
    paidUntil -= cost * interval;
  }
}
