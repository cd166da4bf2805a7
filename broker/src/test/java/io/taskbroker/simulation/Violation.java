package io.taskbroker.simulation;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// A guarantee that was broken.
final class Violation extends AssertionError {
  private static final long serialVersionUID = 1;

  Violation(String guarantee, String what) {
    super(guarantee + ": " + what);
  }

  /// @param what says what is wrong if it does not hold
  static void check(boolean holds, String guarantee, Supplier<String> what) {
    if (!holds) {
      throw new Violation(guarantee, what.get());
    }
  }

  /// What must be there.
  static <T> T present(@Nullable T it, String guarantee, Supplier<String> what) {
    if (it == null) {
      throw new Violation(guarantee, what.get());
    }
    return it;
  }
}
