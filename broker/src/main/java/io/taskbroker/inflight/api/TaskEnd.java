package io.taskbroker.inflight.api;

import io.taskbroker.activation.FinishedTask;

/// How a task ended. The number is kept in the lowest bits of the end of its tombstone, with
/// whether the store has a record of the task.
public enum TaskEnd {
  UNKNOWN(0),
  COMPLETED(1),
  FAILED(2),
  CANCELLED(3),
  EXPIRED(4);

  private static final long BITS = 7;
  private static final long KEPT = 8;
  private static final long ALL = BITS | KEPT;

  private final int number;

  TaskEnd(int number) {
    this.number = number;
  }

  /// The end of a tombstone that tells this one; a few milliseconds later.
  ///
  /// @param kept whether the store has a record of the task that is found by its id
  public long in(long until, boolean kept) {
    return ((until + ALL) & ~ALL) | (kept ? KEPT : 0) | number;
  }

  /// Whether the store may have a record of the task, by the expiry of its tombstone. Earlier
  /// versions set that bit by chance.
  public static boolean isKept(long until) {
    return (until & KEPT) != 0;
  }

  /// The end that clients see of an outcome.
  public static TaskEnd of(FinishedTask.Outcome outcome) {
    return switch (outcome) {
      case COMPLETED -> COMPLETED;
      case FAILED, DEAD_LETTERED -> FAILED;
      case CANCELLED -> CANCELLED;
      case EXPIRED -> EXPIRED;
      case RETRIED, DISCARDED, DEMOTED -> UNKNOWN;
    };
  }

  /// The end that a tombstone's expiry encodes.
  public static TaskEnd of(long until) {
    for (TaskEnd end : values()) {
      if (end.number == (until & BITS)) {
        return end;
      }
    }
    return UNKNOWN;
  }
}
