package io.taskbroker.activation;

import org.jspecify.annotations.Nullable;

/// The durable image of an activation in flight. Times are milliseconds since the epoch, [#NONE] if
/// there is none.
///
/// @param key the number of the row, ascending in the order of arrival and never used twice
/// @param addedAt when it was stored
/// @param attempts how many processing deadlines it let pass
/// @param claimExpiresAt the end of the lease of a claim
/// @param processingDeadline when a worker that has it must have reported
/// @param deadlineExtended whether the deadline was moved once by a restart (H16)
/// @param committed whether the record's offset is known to be committed, so that an at-most-once
///   activation may be handed out (H2)
/// @param parkedUntil when it is to be read back into memory; [#NONE] if it is kept there
/// @param leaving where it goes; null while it stays
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

  /// The row of an activation that arrives at `now`.
  public static Row arriving(long key, Activation activation, Status status, long now) {
    return new Row(key, activation, status, now, 0, NONE, NONE, false, false, NONE, null);
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
