package io.taskbroker.inflight;

/// How much there is in the engine at one moment, in activations.
///
/// @param claimed on their way to a worker
/// @param processing that workers have
/// @param leaving that wait for Kafka
/// @param parked on disk only
/// @param outstanding changes that are not durable yet
/// @param memoryBytes bytes of memory that they take, [Entry#OVERHEAD_BYTES] of each included
/// @param oldestMillis the age of the oldest that is ready to run, 0 if there is none
public record Census(
    int pending,
    int claimed,
    int processing,
    int delayed,
    int leaving,
    int parked,
    int outstanding,
    long memoryBytes,
    long oldestMillis) {}
