package io.taskbroker.inflight;

import io.taskbroker.activation.Destination;

/// What is to be produced to Kafka. Immutable; nobody writes to `payload`.
///
/// @param id the id of the activation that leaves, for messages
/// @param partitionKey decides on the partition: the same for every copy of the same departure (H8)
/// @param owner the engine's own
@SuppressWarnings("ArrayRecordComponent") // compared by nobody
public record OutboxRecord(
    String id, String partitionKey, byte[] payload, Destination destination, Object owner) {}
