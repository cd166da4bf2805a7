package io.taskbroker.store;

import org.jspecify.annotations.Nullable;

/// Failure of a store operation. The message says what failed and what to do about it.
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

  /// Reaction that a failure calls for.
  public enum Kind {
    /// Transient: retry with backoff.
    TRANSIENT,
    /// The disk, or the store's share of it, is full: only deletes help (H12).
    FULL,
    /// The store cannot hold the data: a retry is useless (H12).
    DATA,
    /// An operator must act: the file is corrupt, locked by another broker, or not a database.
    FATAL
  }
}
