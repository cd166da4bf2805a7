package io.taskbroker.inflight.api;

/// Stream of a worker, as the engine sees it. [#mayReceive], [#worker] and [#handled] are called by
/// the engine's thread, the others by whoever carries out its effects; none may block.
public interface WorkerSession {
  /// Whether another task would be sent soon.
  boolean mayReceive();

  /// Name of the worker, for people; empty if it has none.
  String worker();

  /// The number of tasks that the worker has, after a delivery, a result or a heartbeat changed it.
  void holds(int tasks);

  /// Sends a task.
  void deliver(Delivery delivery);

  /// Asks the worker to stop an attempt.
  ///
  /// @param requested whether a client asked for that; otherwise a result would be stale
  void cancel(String id, AttemptToken token, boolean requested);

  /// Says that the engine has handled the opening of the stream, a change of slots or a heartbeat.
  void handled();
}
