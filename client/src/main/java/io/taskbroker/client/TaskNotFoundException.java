package io.taskbroker.client;

/// The broker neither holds nor remembers the task: it ended longer ago than it is
/// [remembered][TaskCall#rememberFor], or another broker took it.
public final class TaskNotFoundException extends TaskBrokerException {
  private static final long serialVersionUID = 1;

  public TaskNotFoundException(String message) {
    super(message, null);
  }
}
