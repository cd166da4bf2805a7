package io.taskbroker.client;

import org.jspecify.annotations.Nullable;

/// Thrown by a [TaskHandler]: the call failed, and another attempt would fail as well.
public class FinalFailureException extends RuntimeException {
  private static final long serialVersionUID = 1;

  public FinalFailureException(String message) {
    this(message, null);
  }

  public FinalFailureException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
