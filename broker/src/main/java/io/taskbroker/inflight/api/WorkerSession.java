package io.taskbroker.inflight.api;

/// Stream of a worker, as the engine sees it. The engine's thread calls [#mayReceive], [#worker],
/// [#description] and [#handled]; the thread that carries out its effects calls the others. None
/// may block.
public interface WorkerSession {
  /// Whether another task would be sent soon.
  boolean mayReceive();

  /// Name of the worker, for people; empty if it has none.
  String worker();

  /// Description of the worker for operators.
  Description description();

  /// A worker, for people.
  ///
  /// @param name may be empty
  /// @param version library and version, as the worker says; may be empty
  /// @param address from which the stream was opened
  /// @param openedAt milliseconds since the epoch
  /// @param heardAt when the worker last sent anything, milliseconds since the epoch
  record Description(String name, String version, String address, long openedAt, long heardAt) {}

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
