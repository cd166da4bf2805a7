package io.taskbroker.runtime;

import java.time.Duration;

/// A stretch of failures of one thing, for logging it: loud at first, then now and then, and once
/// when it is over. Confined to one thread.
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

  /// Failures in a row.
  public long failures() {
    return failures;
  }

  /// How long it has lasted, in milliseconds.
  public long millis() {
    return failures == 0 ? 0 : (ticker.nanoTime() - since) / 1_000_000;
  }

  /// The thing works. Does nothing if it worked before.
  public void over() {
    failures = 0;
  }
}
