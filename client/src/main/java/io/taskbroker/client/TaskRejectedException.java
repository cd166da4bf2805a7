package io.taskbroker.client;

import org.jspecify.annotations.Nullable;

/// The call was refused, and would be refused again. It was **not** enqueued.
public final class TaskRejectedException extends TaskBrokerException {
  private static final long serialVersionUID = 1;

  /// Why a call was refused.
  public enum Reason {
    /// A field is outside of its bounds, or the argument cannot be encoded: correct it.
    INVALID,
    /// An operator switched the task off.
    SWITCHED_OFF,
    /// It had expired when it arrived.
    EXPIRED,
    /// The client may not do this, such as an unknown signature: check secret and address.
    NOT_ALLOWED
  }

  private final Reason reason;

  public TaskRejectedException(Reason reason, String message, @Nullable Throwable cause) {
    super(message, cause);
    this.reason = reason;
  }

  public Reason reason() {
    return reason;
  }
}
