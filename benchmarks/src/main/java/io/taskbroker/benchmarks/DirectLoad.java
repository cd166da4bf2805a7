package io.taskbroker.benchmarks;

import java.util.Map;

/// Load of clients of `taskbroker.v1` on a broker. Thread-safe.
interface DirectLoad extends AutoCloseable {
  /// Begins; returns when the load is on.
  void start() throws InterruptedException;

  /// Forgets what was done so far.
  void forget();

  /// Tasks done since then: completed and acknowledged, or if none runs, durably enqueued.
  long done();

  /// Adds figures of its own.
  default void figures(Map<String, Object> figures) {}

  @Override
  void close();
}
