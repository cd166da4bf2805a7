package io.taskbroker.activation;

import org.jspecify.annotations.Nullable;

/// Durable image of a task in flight. Times are milliseconds since the epoch, [#NONE] if unset.
///
/// @param key row number, ascending in arrival order, never reused
/// @param addedAt when the row was stored
/// @param attempts number of processing deadlines that passed
/// @param claimExpiresAt end of the claim's lease
/// @param processingDeadline time by which the worker must report
/// @param deadlineExtended whether a restart has extended the deadline (H16)
/// @param committed whether Kafka's committed offset is known to cover the record, so that an
///   at-most-once task may be delivered (H2)
/// @param parkedUntil when to unpark the row; [#NONE] if it is in memory
/// @param forwardTo destination of a forwarded task; null if it is not forwarded
public record Row(
    long key,
    Activation activation,
    Status status,
    long addedAt,
    int attempts,
    long claimExpiresAt,
    long processingDeadline,
    boolean deadlineExtended,
    boolean committed,
    long parkedUntil,
    @Nullable Destination forwardTo) {

  public static final long NONE = -1;

  /// Row of an activation that arrives at `now`.
  public static Row arriving(long key, Activation activation, Status status, long now) {
    boolean committed = isCommittedOnArrival(activation);
    return new Row(key, activation, status, now, 0, NONE, NONE, false, committed, NONE, null);
  }

  /// Whether there is no offset to commit, since the activation does not come from Kafka.
  public static boolean isCommittedOnArrival(Activation activation) {
    return activation.origin().partition() < 0;
  }

  public Row parkedUntil(long due) {
    return new Row(
        key,
        activation,
        status,
        addedAt,
        attempts,
        claimExpiresAt,
        processingDeadline,
        deadlineExtended,
        committed,
        due,
        forwardTo);
  }

  public Row forwardedTo(Destination destination) {
    return new Row(
        key,
        activation,
        Status.FAILURE,
        addedAt,
        attempts,
        claimExpiresAt,
        processingDeadline,
        deadlineExtended,
        committed,
        NONE,
        destination);
  }
}
