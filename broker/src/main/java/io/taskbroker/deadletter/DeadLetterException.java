package io.taskbroker.deadletter;

/// Failure of an operation on a topic; the message states the cause and the remedy.
public final class DeadLetterException extends RuntimeException {
  public DeadLetterException(String message) {
    super(message);
  }

  public DeadLetterException(String message, Throwable cause) {
    super(message, cause);
  }
}
