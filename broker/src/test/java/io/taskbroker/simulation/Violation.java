package io.taskbroker.simulation;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Broken guarantee.
final class Violation extends AssertionError {
  private static final long serialVersionUID = 1;

  Violation(String guarantee, String what) {
    super(guarantee + ": " + what);
  }

  /// @param what description of the failure
  static void check(boolean holds, String guarantee, Supplier<String> what) {
    if (!holds) {
      throw new Violation(guarantee, what.get());
    }
  }

  /// Returns a value that must be present.
  static <T> T present(@Nullable T it, String guarantee, Supplier<String> what) {
    if (it == null) {
      throw new Violation(guarantee, what.get());
    }
    return it;
  }
}
