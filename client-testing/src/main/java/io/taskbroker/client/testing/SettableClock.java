package io.taskbroker.client.testing;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;

/// Clock that stands still until it is set. Thread-safe.
public final class SettableClock implements InstantSource {
  private Instant now;

  public SettableClock(Instant now) {
    this.now = now;
  }

  @Override
  public synchronized Instant instant() {
    return now;
  }

  /// Sets the time, which may be earlier.
  public synchronized void set(Instant time) {
    now = time;
  }

  /// Moves the time forward.
  public synchronized void advance(Duration by) {
    now = now.plus(by);
  }
}
