package io.taskbroker.runtime;

import java.util.List;

/// Stage that knows its own conditions. Thread-safe, never blocks.
@FunctionalInterface
public interface HealthSource {
  /// Conditions that hold now; empty if there are none. Called about once a second.
  List<Condition> conditions();
}
