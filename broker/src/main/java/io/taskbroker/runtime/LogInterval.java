package io.taskbroker.runtime;

import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Log rate limiter for a state that lasts: a line is due when the state begins or changes, and
/// again each time an interval has passed. Not thread-safe.
public final class LogInterval {
  private final long interval;
  private @Nullable Object logged;
  private long loggedAt;

  /// @param interval minimum time between two lines about the same state
  public LogInterval(Duration interval) {
    this.interval = interval.toNanos();
  }

  /// Whether to log the state now; counts it as logged if so.
  ///
  /// @param state what the line says; compared by `equals`
  /// @param now nanoseconds of a monotonic clock
  public boolean isDue(Object state, long now) {
    if (Objects.equals(state, logged) && now - loggedAt < interval) {
      return false;
    }
    logged = state;
    loggedAt = now;
    return true;
  }

  /// Ends the state: the next line is due at once.
  public void over() {
    logged = null;
  }
}
