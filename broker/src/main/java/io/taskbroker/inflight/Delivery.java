package io.taskbroker.inflight;

/// Activation that is delivered to a worker. Immutable; nobody writes to `payload`.
///
/// @param payload the serialised `TaskActivation`
/// @param deliveries number of deliveries, this one included: with the id, identifies one delivery
/// @param epoch of the [#token]
/// @param attempt the number in the [#token]
/// @param owner the engine's own
@SuppressWarnings("ArrayRecordComponent") // never compared
public record Delivery(
    String id,
    String application,
    byte[] payload,
    int deliveries,
    long epoch,
    long attempt,
    Object owner) {
  /// Fencing token of this delivery: a report that carries it is refused once the activation was
  /// delivered again.
  public AttemptToken token() {
    return new AttemptToken(epoch, attempt);
  }
}
