package io.taskbroker.deadletter;

import org.jspecify.annotations.Nullable;

/// Failure of an operation on a topic; the message states the cause and the remedy.
public final class DeadLetterException extends RuntimeException {
  public DeadLetterException(String message) {
    super(message);
  }

  public DeadLetterException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
