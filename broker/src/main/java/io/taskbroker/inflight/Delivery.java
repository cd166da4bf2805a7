package io.taskbroker.inflight;

/// An activation that is handed to a worker. Immutable; nobody writes to `payload`.
///
/// @param payload the serialised `TaskActivation`
/// @param deliveries how often it was handed out, this time included: with the id, names one
///   delivery
/// @param owner the engine's own
@SuppressWarnings("ArrayRecordComponent") // compared by nobody
public record Delivery(
    String id, String application, byte[] payload, int deliveries, Object owner) {}
