package io.taskbroker.client;

import java.time.Duration;

/// Thrown by a [TaskHandler]: try again after the delay, in place of the one of the policy. It
/// counts as an attempt.
public final class RetryLaterException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final Duration delay;

  /// @param delay at most 30 days
  public RetryLaterException(Duration delay, String message) {
    super(message);
    if (delay.isNegative() || delay.compareTo(Duration.ofDays(30)) > 0) {
      throw new IllegalArgumentException("delay must be 0 to 30 days, not " + delay);
    }
    this.delay = delay;
  }

  public Duration delay() {
    return delay;
  }
}
