package io.taskbroker.client;

/// Counters of a worker since it started.
///
/// @param completed attempts that completed
/// @param failed attempts that failed
/// @param released tasks that were given back
/// @param stale results without effect: the task was delivered again, or ended otherwise
/// @param connections connections to brokers that were made
public record WorkerCounts(
    long completed, long failed, long released, long stale, long connections) {}
