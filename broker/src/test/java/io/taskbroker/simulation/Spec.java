package io.taskbroker.simulation;

import com.google.protobuf.InvalidProtocolBufferException;
import io.taskbroker.activation.Origin;
import io.taskbroker.proto.v1.OnAttemptsExceeded;
import io.taskbroker.proto.v1.TaskActivation;

/// A record as the ledger reads it, by the contract on the wire and not by the broker's code. Times
/// are milliseconds since the epoch.
///
/// @param decodable whether it is an activation at all
/// @param expiresAt [Long#MAX_VALUE] if it does not expire
@SuppressWarnings("ArrayRecordComponent") // compared by nobody
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
    int attempts) {

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
        task.getRetryState().getAttempts());
  }

  private static Spec undecodable(Origin origin, byte[] bytes) {
    return new Spec(origin, bytes, false, "", "", "", "", false, true, 0, Long.MAX_VALUE, 0, 0);
  }

  /// Whether its id was derived by a broker.
  boolean derived() {
    return attempts > 0;
  }
}
