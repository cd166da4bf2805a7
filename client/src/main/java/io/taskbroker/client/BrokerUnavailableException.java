package io.taskbroker.client;

import org.jspecify.annotations.Nullable;

/// No broker answered in time. A call may or may not have been enqueued: enqueue it again with the
/// same [id][TaskCall#id] or [key][TaskCall#idempotencyKey], so that it does not run twice.
public final class BrokerUnavailableException extends TaskBrokerException {
  private static final long serialVersionUID = 1;

  public BrokerUnavailableException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
