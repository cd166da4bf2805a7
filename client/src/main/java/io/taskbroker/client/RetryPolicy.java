package io.taskbroker.client;

import java.time.Duration;

/// Policy for failed attempts. The broker keeps the retries, so that they survive the worker.
///
/// The delay before retry `n` is `delay * growth^(n-1)`, at most `maxDelay`, less a random part of
/// up to `jitter`.
///
/// @param maxAttempts attempts in all, the first included, at least 1
/// @param delay before the first retry, at most 30 days
/// @param growth factor from each delay to the next, 1 to 10
/// @param maxDelay at most 30 days
/// @param jitter 0 to 1
/// @param onFailure fate of the call when no attempt is left
public record RetryPolicy(
    int maxAttempts,
    Duration delay,
    double growth,
    Duration maxDelay,
    double jitter,
    OnFailure onFailure) {
  private static final Duration MAX_DELAY = Duration.ofDays(30);

  /// Five attempts within about 15 s, then a dead letter.
  public static final RetryPolicy DEFAULT =
      exponential(5, Duration.ofSeconds(1), Duration.ofMinutes(1));

  /// Fate of a call when no attempt is left.
  public enum OnFailure {
    /// Kept for an operator: in the dead-letter topic, or in the store of a broker without Kafka.
    DEAD_LETTER,
    /// Dropped.
    DISCARD
  }

  public RetryPolicy {
    require(maxAttempts >= 1, "maxAttempts must be at least 1, not " + maxAttempts);
    require(isDelay(delay), "delay must be 0 to 30 days, not " + delay);
    require(growth >= 1 && growth <= 10, "growth must be 1 to 10, not " + growth);
    require(isDelay(maxDelay), "maxDelay must be 0 to 30 days, not " + maxDelay);
    require(jitter >= 0 && jitter <= 1, "jitter must be 0 to 1, not " + jitter);
  }

  /// A single attempt, then a dead letter.
  public static RetryPolicy none() {
    return fixed(1, Duration.ZERO);
  }

  /// Retries at the same distance, then a dead letter.
  public static RetryPolicy fixed(int maxAttempts, Duration delay) {
    return new RetryPolicy(maxAttempts, delay, 1, MAX_DELAY, 0, OnFailure.DEAD_LETTER);
  }

  /// Retries at doubling distances with 20 % jitter, then a dead letter.
  public static RetryPolicy exponential(int maxAttempts, Duration first, Duration max) {
    return new RetryPolicy(maxAttempts, first, 2, max, 0.2, OnFailure.DEAD_LETTER);
  }

  /// The same, but a call without an attempt left is dropped.
  public RetryPolicy thenDiscard() {
    return new RetryPolicy(maxAttempts, delay, growth, maxDelay, jitter, OnFailure.DISCARD);
  }

  private static boolean isDelay(Duration delay) {
    return !delay.isNegative() && delay.compareTo(MAX_DELAY) <= 0;
  }

  private static void require(boolean condition, String message) {
    if (!condition) {
      throw new IllegalArgumentException("RetryPolicy: " + message);
    }
  }
}
