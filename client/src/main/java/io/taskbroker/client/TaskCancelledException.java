package io.taskbroker.client;

/// Thrown in a [TaskHandler] that asks for it by [Cancellation#throwIfRequested]: the attempt
/// should stop.
public final class TaskCancelledException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final Cancellation.Reason reason;

  TaskCancelledException(Cancellation.Reason reason) {
    super("The attempt was asked to stop: " + reason);
    this.reason = reason;
  }

  public Cancellation.Reason reason() {
    return reason;
  }
}
