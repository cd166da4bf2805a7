package io.taskbroker.inflight;

import io.taskbroker.activation.Row;
import io.taskbroker.activation.TaskHistory;
import org.jspecify.annotations.Nullable;

/// Record of a task in flight, kept until the task ends. It moves on to the next attempt of the
/// same row. Not thread-safe.
final class TaskRecord {
  /// Heap bytes of a record with a usual history.
  static final int BYTES = 192;

  final TaskHistory history;

  /// Whether its client asked for its result.
  final boolean asked;

  /// First delivery, milliseconds since the epoch.
  long deliveredAt = Row.NONE;

  int deliveries;

  /// Name of the worker of the last delivery; may be empty.
  String worker = "";

  /// Why the last attempt failed; may be empty.
  String message = "";

  /// Result of the worker, if it is asked for.
  byte @Nullable [] result;

  /// @param base time near those of its history, milliseconds since the epoch
  TaskRecord(long base, boolean asked) {
    this.history = new TaskHistory(base);
    this.asked = asked;
  }
}
