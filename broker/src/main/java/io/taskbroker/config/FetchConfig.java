package io.taskbroker.config;

import java.time.Duration;

/// How the reference claims what it pushes; of this broker only the length of a lease depends on it
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
