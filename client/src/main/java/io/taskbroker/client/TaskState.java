package io.taskbroker.client;

/// State of a task.
public enum TaskState {
  /// Runnable, waits for a worker.
  PENDING,
  /// Waits for its time, or for its next attempt.
  DELAYED,
  /// On disk only: due later, or there is no room in the broker's memory.
  PARKED,
  /// A worker has it.
  RUNNING,
  /// Being produced to another topic, such as the dead-letter topic.
  FORWARDING,
  /// Ended, and remembered.
  ENDED,
  /// A state that this version of the client does not know.
  UNKNOWN;

  /// The state of the protocol.
  public static TaskState of(io.taskbroker.protocol.v1.TaskState state) {
    return switch (state) {
      case TASK_STATE_PENDING -> PENDING;
      case TASK_STATE_DELAYED -> DELAYED;
      case TASK_STATE_PARKED -> PARKED;
      case TASK_STATE_RUNNING -> RUNNING;
      case TASK_STATE_FORWARDING -> FORWARDING;
      case TASK_STATE_ENDED -> ENDED;
      case TASK_STATE_UNSPECIFIED, UNRECOGNIZED -> UNKNOWN;
    };
  }
}
