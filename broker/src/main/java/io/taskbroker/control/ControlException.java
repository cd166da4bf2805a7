package io.taskbroker.control;

/// Failed control command: the broker is unreachable or rejected it. The message gives the reason
/// and a remedy.
public final class ControlException extends RuntimeException {
  ControlException(String message) {
    super(message);
  }

  ControlException(String message, Throwable cause) {
    super(message, cause);
  }
}
