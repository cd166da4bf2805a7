package io.taskbroker.simulation;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Timestamp;
import io.taskbroker.activation.Ids;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.RecordIdentity;
import io.taskbroker.ingest.RawTask;
import io.taskbroker.proto.v1.OnAttemptsExceeded;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.protocol.v1.Task;
import java.time.Duration;
import java.util.Arrays;

/// A record as the ledger parses it, by the wire contract and not by the broker's code. Times are
/// milliseconds since the epoch.
///
/// @param decodable whether it is an activation at all
/// @param expiresAt [Long#MAX_VALUE] if it does not expire
/// @param maxAttempts attempts in all, by its retry policy
@SuppressWarnings("ArrayRecordComponent") // never compared
record Spec(
    Origin origin,
    byte[] bytes,
    boolean decodable,
    String id,
    String application,
    String namespace,
    String taskname,
    boolean once,
    boolean deadLetters,
    long delayUntil,
    long expiresAt,
    long deadline,
    int attempts,
    boolean raw,
    long maxAttempts) {

  static final RawTask RAW_TASK =
      new RawTask("shop", "raw", "chew", Duration.ofSeconds(3), RawTask.UNCOMPRESSED);

  static Spec of(Origin origin, byte[] bytes) {
    TaskActivation task;
    try {
      task = TaskActivation.parseFrom(bytes);
    } catch (InvalidProtocolBufferException _) {
      return undecodable(origin, bytes);
    }
    if (task.getId().isEmpty()) {
      return undecodable(origin, bytes);
    }
    long received =
        task.getReceivedAt().getSeconds() * 1_000 + task.getReceivedAt().getNanos() / 1_000_000;
    return new Spec(
        origin,
        bytes,
        true,
        task.getId(),
        task.getApplication(),
        task.getNamespace(),
        task.getTaskname(),
        task.getRetryState().getAtMostOnce(),
        task.getRetryState().getOnAttemptsExceeded()
            == OnAttemptsExceeded.ON_ATTEMPTS_EXCEEDED_DEADLETTER,
        task.hasDelay() ? received + task.getDelay() * 1_000 : 0,
        task.hasExpires() ? received + task.getExpires() * 1_000 : Long.MAX_VALUE,
        task.getProcessingDeadlineDuration() * 1_000,
        task.getRetryState().getAttempts(),
        false,
        Integer.toUnsignedLong(task.getRetryState().getMaxAttempts()));
  }

  private static Spec undecodable(Origin origin, byte[] bytes) {
    return new Spec(
        origin, bytes, false, "", "", "", "", false, true, 0, Long.MAX_VALUE, 0, 0, false, 0);
  }

  /// A record of a raw topic, as the task whose argument it is.
  static Spec raw(Origin origin, byte[] value, String topicId, RecordIdentity identity) {
    return new Spec(
        origin,
        value,
        true,
        Ids.raw(topicId, origin.partition(), identity),
        RAW_TASK.application(),
        RAW_TASK.namespace(),
        RAW_TASK.taskname(),
        false,
        false,
        0,
        Long.MAX_VALUE,
        RAW_TASK.deadline().toMillis(),
        0,
        true,
        0);
  }

  /// A task that a client enqueued, whose fields have the numbers of an activation's.
  static Spec enqueued(Origin origin, byte[] payload) {
    Task task;
    try {
      task = Task.parseFrom(payload);
    } catch (InvalidProtocolBufferException e) {
      throw new AssertionError(e);
    }
    Spec spec = of(origin, payload);
    long delay = spec.delayUntil;
    if (task.hasNotBefore()) {
      delay = Math.max(delay, millis(task.getNotBefore()));
    }
    long expiry = spec.expiresAt;
    if (task.hasExpiresAt()) {
      expiry = Math.min(expiry, millis(task.getExpiresAt()));
    }
    return spec.timed(delay, expiry);
  }

  /// Its priority, if a client enqueued it; others have none.
  int priority() {
    try {
      return decodable && !raw ? Task.parseFrom(bytes).getPriority() : 0;
    } catch (InvalidProtocolBufferException e) {
      throw new AssertionError(e);
    }
  }

  private static long millis(Timestamp time) {
    return time.getSeconds() * 1_000 + time.getNanos() / 1_000_000;
  }

  /// The same with another delay.
  Spec delayedUntil(long other) {
    return timed(other, expiresAt);
  }

  private Spec timed(long delay, long expiry) {
    return new Spec(
        origin,
        bytes,
        decodable,
        id,
        application,
        namespace,
        taskname,
        once,
        deadLetters,
        delay,
        expiry,
        deadline,
        attempts,
        raw,
        maxAttempts);
  }

  /// Whether a broker derived its id.
  boolean derived() {
    return attempts > 0 || raw;
  }

  /// Whether these are the bytes that workers must receive.
  boolean isCarriedBy(byte[] payload) {
    if (!raw) {
      return Arrays.equals(bytes, payload);
    }
    Spec carried = of(origin, payload);
    String inside = new String(payload, ISO_8859_1);
    return carried.id.equals(id)
        && carried.taskname.equals(taskname)
        && inside.contains(new String(bytes, ISO_8859_1));
  }
}
