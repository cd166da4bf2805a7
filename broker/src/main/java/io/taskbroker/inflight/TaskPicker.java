package io.taskbroker.inflight;

import org.jspecify.annotations.Nullable;

/// Ready tasks of one application, and the order in which they are delivered: the one place that
/// decides which task is next. Not thread-safe.
interface TaskPicker {
  /// Adds a ready task.
  ///
  /// @param back true: reinsert in arrival order; false: append
  void add(InFlightTask task, boolean back);

  /// Removes a task, if it is ready.
  void remove(InFlightTask task);

  boolean isEmpty();

  /// The ready task that arrived first; null if there is none.
  @Nullable InFlightTask oldest();

  /// Whether a ready task goes before another one now, each the next of its namespace.
  default boolean isBefore(InFlightTask task, InFlightTask other) {
    return task.key < other.key;
  }

  /// Number of tasks of its namespace that go before a ready task, for people.
  ///
  /// @param max where counting ends
  int position(InFlightTask task, int max);

  /// The task to deliver next, of the namespace if one is given; null if there is none.
  @Nullable InFlightTask next(@Nullable String namespace);
}
