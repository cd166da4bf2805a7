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

  /// The task to deliver next, of the namespace if one is given; null if there is none.
  @Nullable InFlightTask next(@Nullable String namespace);
}
