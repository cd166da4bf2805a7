package io.taskbroker.runtime;

import java.time.Duration;

/// Log rate limiter for consecutive failures of one operation: logs the first, then one every ten
/// seconds, and the recovery. Confined to one thread.
public final class Outage {
  private static final Duration REPEAT = Duration.ofSeconds(10);

  private static final String FAILING = "failing";

  private final Ticker ticker;
  private final LogInterval lines = new LogInterval(REPEAT);
  private long failures;
  private long since;

  public Outage(Ticker ticker) {
    this.ticker = ticker;
  }

  /// Counts a failure; returns whether to log it.
  public boolean failed() {
    long now = ticker.nanoTime();
    failures++;
    if (failures == 1) {
      since = now;
    }
    return lines.isDue(FAILING, now);
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
    lines.over();
  }
}
