package io.taskbroker.inflight;

import org.jspecify.annotations.Nullable;

/// FIFO of the runnable tasks of one application and namespace; a task can be removed from the
/// middle. Linked through the tasks. Not thread-safe.
final class ReadyQueue {
  private @Nullable InFlightTask first;
  private @Nullable InFlightTask last;

  @Nullable InFlightTask first() {
    return first;
  }

  /// Number of tasks before a task of this queue.
  ///
  /// @param max where counting ends
  int position(InFlightTask task, int max) {
    int position = 0;
    InFlightTask before = task.previous;
    while (before != null && position < max) {
      position++;
      before = before.previous;
    }
    return position;
  }

  void addLast(InFlightTask task) {
    task.readyQueue = this;
    task.previous = last;
    task.next = null;
    if (last == null) {
      first = task;
    } else {
      last.next = task;
    }
    last = task;
  }

  /// Reinserts a task in arrival order: before the first one that arrived after it. The scan passes
  /// only other requeued tasks, as many as calls failed at a time.
  void addBack(InFlightTask task) {
    InFlightTask before = null;
    InFlightTask after = first;
    while (after != null && after.key < task.key) {
      before = after;
      after = after.next;
    }
    task.readyQueue = this;
    task.previous = before;
    task.next = after;
    if (before == null) {
      first = task;
    } else {
      before.next = task;
    }
    if (after == null) {
      last = task;
    } else {
      after.previous = task;
    }
  }

  void remove(InFlightTask task) {
    InFlightTask before = task.previous;
    InFlightTask after = task.next;
    if (before == null) {
      first = after;
    } else {
      before.next = after;
    }
    if (after == null) {
      last = before;
    } else {
      after.previous = before;
    }
    task.readyQueue = null;
    task.previous = null;
    task.next = null;
  }
}
