package io.taskbroker.config;

import java.time.Duration;

/// How the reference claims what it pushes; of this broker only the length of a lease depends on it
/// ([BrokerConfig#claimLease]).
public record FetchConfig(int threads, Duration backoff, int batchLength) {
  static FetchConfig read(Values values) {
    int threads = values.get(ConfigKeys.FETCH_THREADS);
    if (Integer.bitCount(threads) != 1) {
      values
          .problems()
          .add(
              ConfigKeys.FETCH_THREADS.path(),
              Integer.toString(threads),
              "must be a power of two from 1 to 256");
    }
    return new FetchConfig(
        threads, values.get(ConfigKeys.FETCH_BACKOFF), values.get(ConfigKeys.FETCH_BATCH_LENGTH));
  }
}
