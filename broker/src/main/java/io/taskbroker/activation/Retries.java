package io.taskbroker.activation;

import com.google.protobuf.InvalidProtocolBufferException;
import io.taskbroker.proto.v1.RetryState;
import io.taskbroker.proto.v1.TaskActivation;
import java.util.Optional;

/// Makes the next attempt of an activation out of the one that failed (reference-spec 5).
/// Stateless.
///
/// The same activation always gives the same id (G4), so that a copy that is produced twice can be
/// told from a second retry.
public final class Retries {
  private static final long UINT32_MAX = 0xFFFFFFFFL;

  private Retries() {}

  /// What is to be produced.
  ///
  /// @param id the id of the retry, which `payload` carries too
  /// @param attempts how many attempts went before it
  /// @param payload a serialised `TaskActivation`
  @SuppressWarnings("ArrayRecordComponent") // compared by nobody
  public record Retry(String id, long attempts, byte[] payload) {}

  /// The retry of the activation `id`; empty if `payload` is not an activation, and so can be
  /// retried by nobody.
  ///
  /// Id, `received_at`, `delay` and `retry_state` are rewritten, and the first retry gets the
  /// header that names the first id ([TaskIdentity#FIRST_ID_HEADER]); everything else stays, fields
  /// that are not known here included. The expiry counts from the new `received_at`.
  ///
  /// @param maxAttempts the bound that the worker gave, negative if it gave none
  /// @param delayOnRetry the delay in seconds that the worker gave, negative if it gave none
  /// @param nowMillis what becomes `received_at`, the next millisecond if there is a delay
  public static Optional<Retry> of(
      byte[] payload, String id, long maxAttempts, long delayOnRetry, long nowMillis) {
    TaskActivation failed;
    try {
      failed = TaskActivation.parseFrom(payload);
    } catch (InvalidProtocolBufferException _) {
      return Optional.empty();
    }
    TaskActivation.Builder retry = failed.toBuilder();
    long attempts = Integer.toUnsignedLong(failed.getRetryState().getAttempts());
    long next = Math.min(attempts + 1, UINT32_MAX);
    String nextId = Ids.retry(id, (int) next);
    if (failed.hasRetryState() || maxAttempts > 0 || delayOnRetry > 0) {
      rewrite(retry.getRetryStateBuilder(), next, maxAttempts, delayOnRetry);
    }
    long receivedAt = nowMillis;
    if (retry.getRetryState().hasDelayOnRetry()) {
      retry.setDelay(retry.getRetryState().getDelayOnRetry());
      receivedAt++; // the delay counts from it, and the millisecond has begun (G5)
    } else {
      retry.clearDelay();
    }
    if (!failed.containsHeaders(TaskIdentity.FIRST_ID_HEADER)) {
      retry.putHeaders(TaskIdentity.FIRST_ID_HEADER, id);
    }
    retry.setId(nextId).setReceivedAt(Timestamps.ofMillis(receivedAt));
    return Optional.of(new Retry(nextId, next, retry.build().toByteArray()));
  }

  private static void rewrite(
      RetryState.Builder state, long attempts, long maxAttempts, long delayOnRetry) {
    state.setAttempts((int) attempts);
    if (maxAttempts >= 0) {
      state.setMaxAttempts((int) Math.min(maxAttempts, UINT32_MAX));
    }
    if (delayOnRetry >= 0) {
      state.setDelayOnRetry(delayOnRetry);
    }
  }
}
