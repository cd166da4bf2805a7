package io.taskbroker.activation;

/// Policy for a task that fails for good: discard or dead-letter.
public enum FailurePolicy {
  /// Unset; discards.
  UNSPECIFIED(0),
  DISCARD(1),
  DEAD_LETTER(2);

  private final int number;

  FailurePolicy(int number) {
    this.number = number;
  }

  /// The number of `OnAttemptsExceeded` on the wire and in the database.
  public int number() {
    return number;
  }

  /// The policy of a number; unknown numbers discard (W10).
  public static FailurePolicy ofNumber(int number) {
    return switch (number) {
      case 1 -> DISCARD;
      case 2 -> DEAD_LETTER;
      default -> UNSPECIFIED;
    };
  }

  public boolean deadLetters() {
    return this == DEAD_LETTER;
  }
}
