package io.taskbroker.grpc;

import java.util.concurrent.TimeUnit;

/// Rate limiter with a burst, kept as the time until which the spent cost is paid off (a leaky
/// bucket). Not thread-safe.
final class RateLimit {
  private final long interval;
  private final long burst;
  private long paidUntil;

  /// @param perSecond sustained cost per second
  /// @param burst maximum cost at once
  RateLimit(int perSecond, int burst, long now) {
    this.interval = TimeUnit.SECONDS.toNanos(1) / perSecond;
    this.burst = burst * interval;
    this.paidUntil = now;
  }

  /// Charges the cost; returns whether it was within the limit.
  boolean spend(int cost, long now) {
    paidUntil = (paidUntil - now < 0 ? now : paidUntil) + cost * interval;
    return paidUntil - now <= burst;
  }

  /// Whether more than the given fraction of the burst is spent.
  boolean isBeyond(int part, long now) {
    return paidUntil - now > burst / part;
  }

  /// Refunds a cost.
  void earn(int cost) {
    paidUntil -= cost * interval;
  }
}
