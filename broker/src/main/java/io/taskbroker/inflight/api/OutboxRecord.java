package io.taskbroker.inflight.api;

import io.taskbroker.activation.Destination;

/// Record to produce to Kafka. Immutable; nobody writes to `payload`.
///
/// @param id id of the forwarded activation, for messages
/// @param partitionKey selects the partition: the same for every copy of one forward (H8)
/// @param owner the engine's own
@SuppressWarnings("ArrayRecordComponent") // never compared
public record OutboxRecord(
    String id, String partitionKey, byte[] payload, Destination destination, Object owner) {}
