package io.taskbroker.telemetry;

/// Base of [Metrics]: holds their registry, which their initializers fill.
abstract class DeclaredMetrics {
  final Declarations declare;

  /// @param exemplars as in [Declarations]
  DeclaredMetrics(boolean exemplars) {
    declare = new Declarations(exemplars);
  }
}
