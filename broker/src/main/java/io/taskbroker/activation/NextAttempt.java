package io.taskbroker.activation;

import com.google.protobuf.CodedInputStream;
import io.taskbroker.protocol.v1.RetryPolicy;
import io.taskbroker.protocol.v1.Task;
import java.io.IOException;
import java.util.Arrays;
import java.util.Optional;
import java.util.random.RandomGenerator;

/// Attempt that follows a failed one, by the retry policy in the payload. Immutable.
///
/// @param attempts number of attempts before it
/// @param delay milliseconds until it may run
public record NextAttempt(int attempts, long delay) {
  /// Longest delay, milliseconds.
  public static final long MAX_DELAY_MS = 30L * 24 * 3_600_000;

  /// The attempt after the one of that payload; empty if none is left, or if the payload does not
  /// decode.
  ///
  /// @param maxAttempts maximum of attempts; negative for that of the policy
  /// @param retryAfter delay in milliseconds; negative for that of the policy
  /// @param random for the jitter
  public static Optional<NextAttempt> after(
      byte[] payload, long maxAttempts, long retryAfter, RandomGenerator random) {
    RetryPolicy policy;
    try {
      CodedInputStream in = CodedInputStream.newInstance(payload);
      in.enableAliasing(true);
      policy = Task.parser().parseFrom(in).getRetry();
    } catch (IOException _) {
      return Optional.empty();
    }
    long attempts = Integer.toUnsignedLong(policy.getAttempts()) + 1;
    long max = maxAttempts >= 0 ? maxAttempts : Integer.toUnsignedLong(policy.getMaxAttempts());
    if (attempts >= Math.min(max, Integer.MAX_VALUE)) {
      return Optional.empty();
    }
    long delay = retryAfter >= 0 ? retryAfter : delay(policy, attempts, random);
    return Optional.of(new NextAttempt((int) attempts, Math.min(delay, MAX_DELAY_MS)));
  }

  private static long delay(RetryPolicy policy, long attempts, RandomGenerator random) {
    double first =
        policy.getDelayMs() != 0
            ? (double) policy.getDelayMs()
            : policy.getDelaySeconds() * 1_000.0;
    double growth = policy.getGrowthPercent() == 0 ? 1 : policy.getGrowthPercent() / 100.0;
    long max = policy.getMaxDelayMs() == 0 ? MAX_DELAY_MS : policy.getMaxDelayMs();
    double delay = Math.min((double) max, first * Math.pow(growth, attempts - 1.0));
    double jitter = Math.min(100, policy.getJitterPercent()) / 100.0;
    return (long) Math.max(0, delay * (1 - jitter * random.nextDouble()));
  }

  /// The activation of this attempt: the failed one with another delay and number of attempts,
  /// which is appended to the payload in the place of the number before: a task that is retried for
  /// ever must not grow.
  ///
  /// @param now milliseconds since the epoch
  public Activation of(Activation failed, long now) {
    byte[] before = failed.payload();
    byte[] added = added(attempts);
    int kept = before.length - (attempts > 1 ? ending(before, added(attempts - 1)) : 0);
    byte[] payload = Arrays.copyOf(before, kept + added.length);
    System.arraycopy(added, 0, payload, kept, added.length);
    return failed.delayed(delay == 0 ? 0 : now + delay + 1, payload);
  }

  private static byte[] added(int attempts) {
    return Task.newBuilder()
        .setRetry(RetryPolicy.newBuilder().setAttempts(attempts))
        .build()
        .toByteArray();
  }

  /// Length of `end` if `all` ends with it; otherwise 0.
  private static int ending(byte[] all, byte[] end) {
    int from = all.length - end.length;
    return from >= 0 && Arrays.equals(all, from, all.length, end, 0, end.length) ? end.length : 0;
  }
}
