package io.taskbroker.config;

import java.time.Duration;

/// The reference's claim settings; this broker uses them only for the lease duration
/// ([BrokerConfig#claimLease]).
public record FetchConfig(int threads, Duration backoff, int batchLength) {
  static FetchConfig read(Values values) {
    int threads = values.get(PushKeys.FETCH_THREADS);
    if (Integer.bitCount(threads) != 1) {
      values
          .problems()
          .add(
              PushKeys.FETCH_THREADS.path(),
              Integer.toString(threads),
              "must be a power of two from 1 to 256");
    }
    return new FetchConfig(
        threads, values.get(PushKeys.FETCH_BACKOFF), values.get(PushKeys.FETCH_BATCH_LENGTH));
  }
}
