package io.taskbroker.client.kafka;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.Timestamp;
import io.taskbroker.proto.v1.OnAttemptsExceeded;
import io.taskbroker.proto.v1.RetryState;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.protocol.v1.NewTask;
import io.taskbroker.protocol.v1.OnFailure;
import io.taskbroker.protocol.v1.RetryPolicy;
import io.taskbroker.protocol.v1.Task;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.UUID;

/// Calls in the form that travels through Kafka. It counts in whole seconds, rounded up here, and
/// knows one fixed delay of retries.
final class Activations {
  /// Header of the priority, which the broker reads.
  private static final String PRIORITY_HEADER = "taskbroker-priority";

  private Activations() {}

  /// @param now the time from which durations count
  static TaskActivation of(NewTask call, Instant now) {
    Task task = call.getTask();
    TaskActivation.Builder activation =
        TaskActivation.newBuilder()
            .setId(id(call))
            .setNamespace(task.getNamespace())
            .setTaskname(task.getName())
            .setApplication(task.getApplication())
            .putAllHeaders(task.getHeadersMap())
            .setParametersBytes(task.getArguments())
            .setReceivedAt(
                Timestamp.newBuilder().setSeconds(now.getEpochSecond()).setNanos(now.getNano()))
            .setProcessingDeadlineDuration(task.getDeadlineSeconds())
            .setRetryState(retry(task.getRetry()));
    if (task.hasExpiresSeconds()) {
      activation.setExpires(task.getExpiresSeconds());
    }
    if (task.getPriority() != 0) {
      activation.putHeaders(PRIORITY_HEADER, Integer.toString(task.getPriority()));
    }
    long delay = delaySeconds(task, now);
    if (delay > 0) {
      activation.setDelay(delay);
    }
    return activation.build();
  }

  static String id(NewTask call) {
    Task task = call.getTask();
    return task.getId().isEmpty()
        ? idOfKey(task.getApplication(), task.getNamespace(), call.getIdempotencyKey())
        : task.getId();
  }

  private static RetryState retry(RetryPolicy policy) {
    RetryState.Builder state =
        RetryState.newBuilder()
            .setMaxAttempts(policy.getMaxAttempts())
            .setOnAttemptsExceeded(
                policy.getOnFailure() == OnFailure.ON_FAILURE_DEAD_LETTER
                    ? OnAttemptsExceeded.ON_ATTEMPTS_EXCEEDED_DEADLETTER
                    : OnAttemptsExceeded.ON_ATTEMPTS_EXCEEDED_DISCARD);
    if (policy.getDelayMs() > 0) {
      state.setDelayOnRetry(Math.ceilDiv(policy.getDelayMs(), 1_000L));
    }
    if (policy.getAtMostOnce()) {
      state.setAtMostOnce(true);
    }
    return state.build();
  }

  private static long delaySeconds(Task task, Instant now) {
    long delay = task.getDelaySeconds();
    if (task.hasNotBefore()) {
      Instant at =
          Instant.ofEpochSecond(task.getNotBefore().getSeconds(), task.getNotBefore().getNanos());
      Duration left = Duration.between(now, at);
      if (!left.isNegative()) {
        delay = Math.max(delay, left.toSeconds() + (left.toNanosPart() > 0 ? 1 : 0));
      }
    }
    return delay;
  }

  /// The id that the broker derives from a key, so that both ways give the same.
  private static String idOfKey(String application, String namespace, String key) {
    try {
      String text = String.join("\n", "key", application, namespace, key);
      ByteBuffer digest =
          ByteBuffer.wrap(MessageDigest.getInstance("SHA-256").digest(text.getBytes(UTF_8)));
      long high = (digest.getLong() & ~0xF000L) | 0x8000L;
      long low = (digest.getLong() & 0x3FFF_FFFF_FFFF_FFFFL) | 0x8000_0000_0000_0000L;
      return new UUID(high, low).toString();
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every JVM has SHA-256", e);
    }
  }
}
