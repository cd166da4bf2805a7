package io.taskbroker.activation;

import com.google.protobuf.InvalidProtocolBufferException;
import io.taskbroker.proto.v1.RetryState;
import io.taskbroker.proto.v1.TaskActivation;
import java.util.Optional;

/// Builder of the next attempt of a failed activation (reference-spec 5). Stateless and
/// thread-safe.
///
/// The same activation always gives the same id (G4), which distinguishes a duplicate of a retry
/// from a second retry.
public final class Retries {
  private static final long UINT32_MAX = 0xFFFFFFFFL;

  private Retries() {}

  /// Retry to produce.
  ///
  /// @param id id of the retry, also in `payload`
  /// @param attempts number of earlier attempts
  /// @param payload a serialised `TaskActivation`
  @SuppressWarnings("ArrayRecordComponent") // never compared
  public record Retry(String id, long attempts, byte[] payload) {}

  /// Retry of the activation `id`; empty if `payload` does not decode and so cannot be retried.
  ///
  /// Rewrites id, `received_at`, `delay` and `retry_state`, and adds the header with the first id
  /// to the first retry ([TaskIdentity#FIRST_ID_HEADER]). Everything else stays, unknown fields
  /// included. The expiry counts from the new `received_at`.
  ///
  /// @param priority of the failed one, which an operator may have changed; see [Priority#HEADER]
  /// @param maxAttempts maximum given by the worker, negative if none
  /// @param delayOnRetry delay in seconds given by the worker, negative if none
  /// @param nowMillis the new `received_at`, plus one millisecond if there is a delay
  public static Optional<Retry> of(
      byte[] payload,
      String id,
      int priority,
      long maxAttempts,
      long delayOnRetry,
      long nowMillis) {
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
      receivedAt++; // the delay counts from here, and this millisecond is already running (G5)
    } else {
      retry.clearDelay();
    }
    if (!failed.containsHeaders(TaskIdentity.FIRST_ID_HEADER)) {
      retry.putHeaders(TaskIdentity.FIRST_ID_HEADER, id);
    }
    if (priority != Priority.NORMAL || Priority.isNamed(failed)) {
      retry.putHeaders(Priority.HEADER, Integer.toString(priority));
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
