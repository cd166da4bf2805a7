package io.taskbroker.activation;

/// What a worker reported of an activation to a broker that does not have it, as the broker that
/// has it finds it in the store that they share (H3).
///
/// @param key that of the row
/// @param status `COMPLETE`, `FAILURE` or `RETRY`
/// @param maxAttempts with a retry: the new bound of attempts, negative if not given
/// @param delayOnRetry with a retry: seconds until it may run, negative if not given
public record RemoteReport(
    long key, String id, Status status, long maxAttempts, long delayOnRetry) {}
