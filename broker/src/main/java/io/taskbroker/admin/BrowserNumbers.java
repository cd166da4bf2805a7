package io.taskbroker.admin;

import tools.jackson.databind.JsonNode;

/// Check for JSON numbers that a browser would change: it has doubles only, and writes 1.0 as 1.
final class BrowserNumbers {
  private static final long LARGEST = (1L << 53) - 1;

  private BrowserNumbers() {}

  /// Whether all numbers of a value come back from a browser as they are.
  static boolean survive(JsonNode value) {
    if (value.isIntegralNumber()) {
      return value.canConvertToLong() && value.asLong() >= -LARGEST && value.asLong() <= LARGEST;
    }
    if (value.isFloatingPointNumber()) {
      double number = value.asDouble();
      return Double.isFinite(number) && number != Math.rint(number);
    }
    for (JsonNode each : value) {
      if (!survive(each)) {
        return false;
      }
    }
    return true;
  }
}
