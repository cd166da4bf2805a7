package io.taskbroker.cli;

/// A command cannot do what the user asked for; the message says why, and what to do about it.
public final class CommandException extends RuntimeException {
  public CommandException(String message) {
    super(message);
  }

  public CommandException(String message, Throwable cause) {
    super(message, cause);
  }
}
