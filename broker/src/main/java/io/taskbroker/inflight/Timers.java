package io.taskbroker.inflight;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Timers of tasks: a binary heap that knows each task's index, so that setting and cancelling
/// leave no garbage. A task has at most one timer; among equal times the oldest task is first. Not
/// thread-safe.
final class Timers {
  private @Nullable InFlightTask[] heap = new @Nullable InFlightTask[1024];
  private int size;

  /// Sets or moves the wake-up time of the task.
  void set(InFlightTask task, long wakeAt) {
    if (task.heapIndex < 0) {
      if (size == heap.length) {
        heap = Arrays.copyOf(heap, size * 2);
      }
      task.heapIndex = size;
      heap[size++] = task;
      task.wakeAt = wakeAt;
      up(task);
    } else {
      long before = task.wakeAt;
      task.wakeAt = wakeAt;
      if (wakeAt < before) {
        up(task);
      } else {
        down(task);
      }
    }
  }

  void cancel(InFlightTask task) {
    int hole = task.heapIndex;
    if (hole < 0) {
      return;
    }
    task.heapIndex = -1;
    InFlightTask last = at(--size);
    heap[size] = null;
    if (last != task) {
      heap[hole] = last;
      last.heapIndex = hole;
      up(last);
      down(last);
    }
  }

  /// Removes and returns the first task that wakes at `now` or before; null if there is none.
  @Nullable InFlightTask poll(long now) {
    if (size == 0 || at(0).wakeAt > now) {
      return null;
    }
    InFlightTask first = at(0);
    cancel(first);
    return first;
  }

  /// Wake-up time of the first task; [Long#MAX_VALUE] if there is none.
  long next() {
    return size == 0 ? Long.MAX_VALUE : at(0).wakeAt;
  }

  private void up(InFlightTask task) {
    int index = task.heapIndex;
    while (index > 0) {
      int parent = (index - 1) >>> 1;
      if (isBefore(at(parent), task)) {
        break;
      }
      place(at(parent), index);
      index = parent;
    }
    place(task, index);
  }

  private void down(InFlightTask task) {
    int index = task.heapIndex;
    while (true) {
      int child = 2 * index + 1;
      if (child >= size) {
        break;
      }
      if (child + 1 < size && isBefore(at(child + 1), at(child))) {
        child++;
      }
      if (isBefore(task, at(child))) {
        break;
      }
      place(at(child), index);
      index = child;
    }
    place(task, index);
  }

  private static boolean isBefore(InFlightTask one, InFlightTask other) {
    return one.wakeAt < other.wakeAt || (one.wakeAt == other.wakeAt && one.key < other.key);
  }

  private void place(InFlightTask task, int index) {
    heap[index] = task;
    task.heapIndex = index;
  }

  @SuppressWarnings("NullAway") // the heap is full up to its size
  private InFlightTask at(int index) {
    return heap[index];
  }
}
