package io.taskbroker.config;

import java.time.Duration;

/// Push delivery.
///
/// @param timeout maximum duration of one call
/// @param updateBatched whether status updates of pushed activations are batched
/// @param updateBatchLength status updates written at once
/// @param updateInterval maximum wait of a status update for its batch
/// @param updateBatchSize unused, as in the reference
/// @param maxCalls maximum concurrent calls to the workers of one application
/// @param connections connections to the workers of one application
/// @param connectionAge maximum age of such a connection
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
