package io.taskbroker.activation;

/// Activation of a task as it was published. Immutable; `payload` must not be modified. Times are
/// milliseconds since the epoch.
///
/// @param payload the bytes of the Kafka record, delivered to workers verbatim
/// @param application empty if the publisher named none
/// @param expiresAt no delivery after this time; [#NEVER] if it does not expire
/// @param delayUntil no delivery before this time; 0 if it is not delayed
/// @param deadlineSeconds processing deadline in seconds, 0 to [Integer#MAX_VALUE]
/// @param derived whether a broker derived the id, as for a retry
/// @param priority as in [Priority]; one byte, for which a task in memory has room
@SuppressWarnings("ArrayRecordComponent") // never compared
public record Activation(
    String id,
    String application,
    String namespace,
    String taskname,
    byte[] payload,
    Origin origin,
    long receivedAt,
    long expiresAt,
    long delayUntil,
    int deadlineSeconds,
    FailurePolicy failurePolicy,
    boolean atMostOnce,
    boolean derived,
    byte priority) {

  public static final long NEVER = Long.MAX_VALUE;

  /// Activation of normal priority.
  public Activation(
      String id,
      String application,
      String namespace,
      String taskname,
      byte[] payload,
      Origin origin,
      long receivedAt,
      long expiresAt,
      long delayUntil,
      int deadlineSeconds,
      FailurePolicy failurePolicy,
      boolean atMostOnce,
      boolean derived) {
    this(
        id,
        application,
        namespace,
        taskname,
        payload,
        origin,
        receivedAt,
        expiresAt,
        delayUntil,
        deadlineSeconds,
        failurePolicy,
        atMostOnce,
        derived,
        (byte) Priority.NORMAL);
  }

  /// Placeholder activation for a message that does not decode: keeps its bytes for the dead-letter
  /// topic.
  ///
  /// @param timestamp of the record, milliseconds since the epoch
  /// @param receivedAt arrival time, milliseconds since the epoch
  public static Activation undecodable(
      Origin origin, long timestamp, byte[] message, long receivedAt) {
    return new Activation(
        Ids.undecodable(origin, timestamp),
        "",
        "",
        "",
        message,
        origin,
        receivedAt,
        NEVER,
        0,
        0,
        FailurePolicy.DEAD_LETTER,
        false,
        false);
  }

  /// Copy with another payload.
  public Activation withPayload(byte[] other) {
    return new Activation(
        id,
        application,
        namespace,
        taskname,
        other,
        origin,
        receivedAt,
        expiresAt,
        delayUntil,
        deadlineSeconds,
        failurePolicy,
        atMostOnce,
        derived,
        priority);
  }

  /// Copy with another delay.
  ///
  /// @param other milliseconds since the epoch
  public Activation withDelayUntil(long other) {
    return new Activation(
        id,
        application,
        namespace,
        taskname,
        payload,
        origin,
        receivedAt,
        expiresAt,
        other,
        deadlineSeconds,
        failurePolicy,
        atMostOnce,
        derived,
        priority);
  }

  /// Copy with another priority.
  public Activation withPriority(int other) {
    return new Activation(
        id,
        application,
        namespace,
        taskname,
        payload,
        origin,
        receivedAt,
        expiresAt,
        delayUntil,
        deadlineSeconds,
        failurePolicy,
        atMostOnce,
        derived,
        (byte) other);
  }

  /// Copy for another attempt.
  ///
  /// @param until no delivery before this time, milliseconds since the epoch; 0 if it is not
  ///   delayed
  public Activation delayed(long until, byte[] other) {
    return new Activation(
        id,
        application,
        namespace,
        taskname,
        other,
        origin,
        receivedAt,
        expiresAt,
        until,
        deadlineSeconds,
        failurePolicy,
        atMostOnce,
        derived,
        priority);
  }

  /// Whether a finished task leaves a tombstone, so that a duplicate is dropped (H8).
  public boolean leavesTombstone() {
    return origin.isEnqueued() ? origin.offset() > 0 : derived || atMostOnce;
  }

  /// For how long the tombstone lasts, milliseconds.
  ///
  /// @param usual unless the client that enqueued it chose
  public long tombstoneMillis(long usual) {
    return origin.isEnqueued() && origin.offset() > 0 ? origin.offset() : usual;
  }

  /// Bucket 0 to 255, stored for the reference's fetch threads: the id as a UUID modulo 256, 0 for
  /// any other id (reference-spec 4.2).
  public int bucket() {
    return Ids.bucket(id);
  }
}
