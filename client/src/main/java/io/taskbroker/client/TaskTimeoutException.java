package io.taskbroker.client;

/// A task did not end within the time that its caller waited. The task goes on.
public final class TaskTimeoutException extends TaskBrokerException {
  private static final long serialVersionUID = 1;

  public TaskTimeoutException(String message) {
    super(message, null);
  }
}
