package io.taskbroker.runtime;

import java.time.Duration;

/// Log rate limiter for consecutive failures of one operation: logs the first, then one every ten
/// seconds, and the recovery. Confined to one thread.
public final class Outage {
  private static final long REPEAT = Duration.ofSeconds(10).toNanos();

  private final Ticker ticker;
  private long failures;
  private long since;
  private long logged;

  public Outage(Ticker ticker) {
    this.ticker = ticker;
  }

  /// Counts a failure; returns whether to log it.
  public boolean failed() {
    long now = ticker.nanoTime();
    failures++;
    if (failures == 1) {
      since = now;
      logged = now;
      return true;
    }
    if (now - logged < REPEAT) {
      return false;
    }
    logged = now;
    return true;
  }

  /// Number of consecutive failures.
  public long failures() {
    return failures;
  }

  /// Duration of the outage in milliseconds.
  public long millis() {
    return failures == 0 ? 0 : (ticker.nanoTime() - since) / 1_000_000;
  }

  /// Ends the outage after a success. Does nothing without one.
  public void over() {
    failures = 0;
  }
}
