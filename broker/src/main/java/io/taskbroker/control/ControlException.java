package io.taskbroker.control;

/// A running broker could not be given a command, or did not follow it; the message says why, and
/// what to do about it.
public final class ControlException extends RuntimeException {
  ControlException(String message) {
    super(message);
  }

  ControlException(String message, Throwable cause) {
    super(message, cause);
  }
}
