package io.taskbroker.telemetry;

/// Receiver of the audit stream of the steps of tasks: a file, or a topic. It never blocks; it
/// drops and counts the steps that exceed its buffer. Called by the engine's thread, except
/// [#dropped].
public interface TaskStepSink {
  /// Task of a step.
  ///
  /// @param partition negative if the task was enqueued by a client
  record Subject(
      String id,
      String application,
      String namespace,
      String taskname,
      String topic,
      int partition,
      long offset) {}

  /// Adds a step.
  ///
  /// @param at milliseconds since the epoch
  /// @param detail may be empty
  void step(String step, long at, Subject task, String detail);

  /// Number of dropped steps. Thread-safe.
  long dropped();
}
