package io.taskbroker.config;

import java.time.Duration;

/// Pushing to workers.
///
/// @param timeout of one call
/// @param updateBatched whether marks of pushed activations wait for each other
/// @param updateBatchLength as many marks are written at once
/// @param updateInterval a mark waits for others as long
/// @param updateBatchSize unused, as in the reference
/// @param maxCalls to the workers of one application at once
/// @param connections to the workers of one application
/// @param connectionAge after which one of these is replaced at the latest
public record PushConfig(
    int threads,
    Duration timeout,
    int queueSize,
    Duration queueTimeout,
    boolean updateBatched,
    int updateBatchLength,
    Duration updateInterval,
    int updateBatchSize,
    int maxCalls,
    int connections,
    Duration connectionAge) {
  static PushConfig read(Values values) {
    return new PushConfig(
        values.get(PushKeys.PUSH_THREADS),
        values.get(PushKeys.PUSH_TIMEOUT),
        values.get(PushKeys.PUSH_QUEUE_SIZE),
        values.get(PushKeys.PUSH_QUEUE_TIMEOUT),
        values.get(PushKeys.PUSH_UPDATE_BATCHED),
        values.get(PushKeys.PUSH_UPDATE_BATCH_LENGTH),
        values.get(PushKeys.PUSH_UPDATE_BATCH_INTERVAL),
        values.get(PushKeys.PUSH_UPDATE_BATCH_SIZE),
        values.get(PushKeys.PUSH_MAX_CALLS),
        values.get(PushKeys.PUSH_CONNECTIONS),
        values.get(PushKeys.PUSH_CONNECTION_AGE));
  }
}
