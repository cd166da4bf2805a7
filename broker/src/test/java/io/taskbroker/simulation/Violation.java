package io.taskbroker.simulation;

/// A guarantee that was broken.
final class Violation extends AssertionError {
  private static final long serialVersionUID = 1;

  final String guarantee;

  Violation(String guarantee, String what) {
    super(guarantee + ": " + what);
    this.guarantee = guarantee;
  }
}
