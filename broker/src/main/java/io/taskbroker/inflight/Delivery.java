package io.taskbroker.inflight;

/// Activation that is delivered to a worker. Immutable; nobody writes to `payload`.
///
/// @param payload the serialised `TaskActivation`
/// @param deliveries number of deliveries, this one included: with the id, identifies one delivery
/// @param owner the engine's own
@SuppressWarnings("ArrayRecordComponent") // never compared
public record Delivery(
    String id, String application, byte[] payload, int deliveries, Object owner) {}
