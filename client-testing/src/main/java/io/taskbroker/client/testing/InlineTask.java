package io.taskbroker.client.testing;

import io.taskbroker.client.TaskOutcome;
import io.taskbroker.protocol.v1.NewTask;
import io.taskbroker.protocol.v1.RetryPolicy;
import io.taskbroker.protocol.v1.Task;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/// A task of an [InlineBroker]. Guarded by it.
final class InlineTask {
  final NewTask call;
  final long sequence;
  final @Nullable Instant expiresAt;
  Task task;
  Instant due;
  String progress = "";
  boolean running;
  @Nullable TaskOutcome outcome;

  InlineTask(NewTask call, String id, long sequence, Instant now) {
    this.call = call;
    this.sequence = sequence;
    this.task = call.getTask().toBuilder().setId(id).build();
    Instant at = now.plusSeconds(task.getDelaySeconds());
    if (task.hasNotBefore()) {
      Instant notBefore =
          Instant.ofEpochSecond(task.getNotBefore().getSeconds(), task.getNotBefore().getNanos());
      at = notBefore.isAfter(at) ? notBefore : at;
    }
    this.due = at;
    this.expiresAt = task.hasExpiresSeconds() ? now.plusSeconds(task.getExpiresSeconds()) : null;
  }

  String id() {
    return task.getId();
  }

  boolean isWaiting() {
    return outcome == null && !running;
  }

  boolean hasAttemptsLeft() {
    return task.getRetry().getAttempts() + 1 < task.getRetry().getMaxAttempts();
  }

  /// Counts an attempt, and makes the task due again.
  void retry(Instant now, @Nullable Duration delay) {
    RetryPolicy policy = task.getRetry();
    due = now.plus(delay == null ? delayAfter(policy) : delay);
    task =
        task.toBuilder().setRetry(policy.toBuilder().setAttempts(policy.getAttempts() + 1)).build();
  }

  /// Without jitter, so that tests are exact.
  private static Duration delayAfter(RetryPolicy policy) {
    double growth = policy.getGrowthPercent() == 0 ? 1 : policy.getGrowthPercent() / 100.0;
    double millis = policy.getDelayMs() * Math.pow(growth, policy.getAttempts());
    double max = policy.getMaxDelayMs() == 0 ? Long.MAX_VALUE : policy.getMaxDelayMs();
    return Duration.ofMillis((long) Math.min(millis, max));
  }
}
