package io.taskbroker.cli;

/// Failure of a command; the message states the cause and the remedy.
public final class CommandException extends RuntimeException {
  public CommandException(String message) {
    super(message);
  }

  public CommandException(String message, Throwable cause) {
    super(message, cause);
  }
}
