package io.taskbroker.activation;

/// One run of one task, as it was published. Immutable; nobody writes to `payload`. Times are
/// milliseconds since the epoch.
///
/// @param payload the bytes of the Kafka record, delivered to workers verbatim
/// @param application empty if the publisher named none
/// @param expiresAt not to be delivered after this time; [#NEVER] if it does not expire
/// @param delayUntil not to be delivered before this time; 0 if it was not delayed
/// @param deadlineSeconds how long a worker may take, 0 to [Integer#MAX_VALUE]
/// @param derived whether the id was derived by a broker, as a retry's is
@SuppressWarnings("ArrayRecordComponent") // compared by nobody
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
    boolean derived) {

  public static final long NEVER = Long.MAX_VALUE;

  /// What is kept of a message that is no activation: its bytes, for the dead-letter topic.
  ///
  /// @param timestamp of the record, milliseconds since the epoch
  /// @param receivedAt when it came
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

  /// The same activation with another payload.
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
        derived);
  }

  /// Whether its id is remembered for a while when it ends, so that a second copy is dropped (H8).
  public boolean leavesTombstone() {
    return derived || atMostOnce;
  }

  /// The number from 0 to 255 that the database keeps for the reference's fetch threads: the id as
  /// a UUID modulo 256, 0 for any other id (reference-spec 4.2).
  public int bucket() {
    return Ids.bucket(id);
  }
}
