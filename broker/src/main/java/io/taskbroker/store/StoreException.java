package io.taskbroker.store;

import org.jspecify.annotations.Nullable;

/// A store could not do what was asked. The message says what, and what to do about it.
public final class StoreException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final Kind kind;

  public StoreException(Kind kind, String message, @Nullable Throwable cause) {
    super(message, cause);
    this.kind = kind;
  }

  public Kind kind() {
    return kind;
  }

  /// What a failure means for the operation that failed.
  public enum Kind {
    /// May pass: try again, with backoff.
    TRANSIENT,
    /// The disk, or what the store may use of it, is full: only removing things helps (H12).
    FULL,
    /// The store cannot hold what it was given: trying it again is of no use (H12).
    DATA,
    /// Nothing but a person can help: the file is corrupt, locked by another broker, or not a
    /// database.
    FATAL
  }
}
