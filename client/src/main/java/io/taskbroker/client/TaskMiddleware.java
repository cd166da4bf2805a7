package io.taskbroker.client;

/// Code around each attempt in a worker: transactions, security contexts, timings. The first one
/// given to the worker is the outermost. Must be thread-safe.
@FunctionalInterface
public interface TaskMiddleware {
  /// Calls `next` once, or not at all. What it throws is the failure of the attempt.
  void around(TaskContext context, Attempt next) throws Exception;

  /// The rest of the chain, with the handler at its end.
  @FunctionalInterface
  interface Attempt {
    void run() throws Exception;
  }
}
