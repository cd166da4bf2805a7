package io.taskbroker.inflight.api;

/// Stream of a worker, as the engine sees it. [#mayReceive] is called by the engine's thread, the
/// others by whoever carries out its effects; none may block.
public interface WorkerSession {
  /// Whether another task would be sent soon.
  boolean mayReceive();

  /// Name of the worker, as it gave it; may be empty.
  default String worker() {
    return "";
  }

  /// Sends a task.
  void deliver(Delivery delivery);

  /// Asks the worker to stop an attempt.
  ///
  /// @param requested whether a client asked for that; otherwise a result would be stale
  void cancel(String id, AttemptToken token, boolean requested);

  /// The broker does not accept the stream, or can no longer: the worker must connect again.
  void unavailable(String why);
}
