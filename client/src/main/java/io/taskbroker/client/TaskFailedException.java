package io.taskbroker.client;

/// A task that the caller waited for ended, but did not complete.
public final class TaskFailedException extends TaskBrokerException {
  private static final long serialVersionUID = 1;

  private final TaskOutcome.Kind kind;

  TaskFailedException(String message, TaskOutcome.Kind kind) {
    super(message, null);
    this.kind = kind;
  }

  /// How it ended.
  public TaskOutcome.Kind kind() {
    return kind;
  }
}
