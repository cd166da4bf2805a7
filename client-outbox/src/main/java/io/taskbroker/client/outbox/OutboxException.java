package io.taskbroker.client.outbox;

/// The database refused a statement of the outbox. In [Outbox#enqueue] nothing was enqueued: roll
/// the transaction back.
public final class OutboxException extends RuntimeException {
  private static final long serialVersionUID = 1;

  OutboxException(String message, Throwable cause) {
    super(message, cause);
  }
}
