package io.taskbroker.activation;

/// Report that reached a broker which does not have the task, as the task's owner reads it from the
/// shared store (H3).
///
/// @param key key of the row
/// @param status `COMPLETE`, `FAILURE` or `RETRY`
/// @param maxAttempts of a retry: the new maximum of attempts, negative if not given
/// @param delayOnRetry of a retry: delay in seconds, negative if not given
public record RemoteReport(
    long key, String id, Status status, long maxAttempts, long delayOnRetry) {}
