package io.taskbroker.inflight.api;

/// How a task ended. The number is kept in the lowest bits of the end of its tombstone.
public enum TaskEnd {
  UNKNOWN(0),
  COMPLETED(1),
  FAILED(2),
  CANCELLED(3),
  EXPIRED(4);

  private static final long BITS = 7;

  private final int number;

  TaskEnd(int number) {
    this.number = number;
  }

  /// The end of a tombstone that tells this one; a few milliseconds later.
  public long in(long until) {
    return ((until + BITS) & ~BITS) | number;
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
