package io.taskbroker.inflight;

import io.taskbroker.inflight.TaskState.Step;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Queue of the tasks that wait for the end of another task of the same id. In a shared store the
/// rows of two partitions may have one id; workers report by id, so only one of them can be in
/// flight at a time. A waiting task counts by its status but is in no ready queue. Not thread-safe.
final class DuplicateIdQueue {
  private final Map<String, ArrayDeque<InFlightTask>> waiting = new HashMap<>();

  /// Tasks that may go on now.
  private final ArrayDeque<InFlightTask> released = new ArrayDeque<>();

  boolean isEmpty() {
    return waiting.isEmpty();
  }

  void add(InFlightTask task) {
    waiting.computeIfAbsent(task.id(), _ -> new ArrayDeque<>()).addLast(task);
  }

  /// Removes a task that ended while it waited.
  void remove(InFlightTask task) {
    ArrayDeque<InFlightTask> duplicates = waiting.get(task.id());
    if (duplicates != null && duplicates.remove(task) && duplicates.isEmpty()) {
      waiting.remove(task.id());
    }
  }

  /// Whether a task waits to go on when the id is free.
  boolean hasWaiting(String id) {
    return first(id) != null;
  }

  /// The waiting task of an id and key; null if there is none.
  @Nullable InFlightTask find(String id, long key) {
    ArrayDeque<InFlightTask> duplicates = waiting.get(id);
    if (duplicates != null) {
      for (InFlightTask duplicate : duplicates) {
        if (duplicate.key == key) {
          return duplicate;
        }
      }
    }
    return null;
  }

  List<InFlightTask> of(PartitionKey partitionKey) {
    List<InFlightTask> found = new ArrayList<>();
    for (ArrayDeque<InFlightTask> duplicates : waiting.values()) {
      for (InFlightTask duplicate : duplicates) {
        if (partitionKey.has(duplicate)) {
          found.add(duplicate);
        }
      }
    }
    return found;
  }

  /// Frees the id: moves the next waiting task to the released ones. A task that is being forwarded
  /// or deleted stays until its row is gone or its partition is lost.
  @Nullable InFlightTask next(String id) {
    InFlightTask next = first(id);
    if (next != null) {
      remove(next);
      released.addLast(next);
    }
    return next;
  }

  private @Nullable InFlightTask first(String id) {
    ArrayDeque<InFlightTask> duplicates = waiting.get(id);
    if (duplicates != null) {
      for (InFlightTask duplicate : duplicates) {
        if (duplicate.step() == Step.STORED) {
          return duplicate;
        }
      }
    }
    return null;
  }

  @Nullable InFlightTask pollReleased() {
    return released.pollFirst();
  }
}
