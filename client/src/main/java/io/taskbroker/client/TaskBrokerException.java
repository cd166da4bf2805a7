package io.taskbroker.client;

import org.jspecify.annotations.Nullable;

/// Base of all errors of the client. Each message says what was being done, with which task, and
/// what to do.
public abstract sealed class TaskBrokerException extends RuntimeException
    permits BrokerFullException,
        BrokerUnavailableException,
        TaskFailedException,
        TaskNotFoundException,
        TaskRejectedException,
        TaskTimeoutException {
  private static final long serialVersionUID = 1;

  TaskBrokerException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
