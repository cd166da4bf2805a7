package io.taskbroker.inflight;

/// How a task ended. The ordinal is kept in the lowest bits of the end of its tombstone.
public enum TaskEnd {
  UNKNOWN,
  COMPLETED,
  FAILED,
  CANCELLED,
  EXPIRED;

  private static final long BITS = 7;

  /// The end of a tombstone that tells this one; a few milliseconds later.
  long in(long until) {
    return (until + BITS & ~BITS) | ordinal();
  }

  /// What the end of a tombstone tells.
  static TaskEnd of(long until) {
    int ordinal = (int) (until & BITS);
    return ordinal < values().length ? values()[ordinal] : UNKNOWN;
  }
}
