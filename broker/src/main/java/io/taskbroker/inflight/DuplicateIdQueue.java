package io.taskbroker.inflight;

import io.taskbroker.inflight.TaskState.Step;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Entries that wait for the end of another of the same id. Where brokers share a store, the rows
/// of two places may have one id; workers report by it, so that one of them can be in flight at a
/// time. Those that wait count as what they are, but are in no queue. Not thread-safe.
final class DuplicateIdQueue {
  private final Map<String, ArrayDeque<InFlightTask>> waiting = new HashMap<>();

  /// Those whose turn has come.
  private final ArrayDeque<InFlightTask> free = new ArrayDeque<>();

  boolean isEmpty() {
    return waiting.isEmpty();
  }

  void add(InFlightTask task) {
    waiting.computeIfAbsent(task.id(), _ -> new ArrayDeque<>()).addLast(task);
  }

  /// Forgets one that ended while it waited.
  void remove(InFlightTask task) {
    ArrayDeque<InFlightTask> twins = waiting.get(task.id());
    if (twins != null && twins.remove(task) && twins.isEmpty()) {
      waiting.remove(task.id());
    }
  }

  /// Whether one of them is to go on when the id is free.
  boolean waitFor(String id) {
    return first(id) != null;
  }

  /// The one of that key that waits; null if there is none.
  @Nullable InFlightTask find(String id, long key) {
    ArrayDeque<InFlightTask> twins = waiting.get(id);
    if (twins != null) {
      for (InFlightTask duplicate : twins) {
        if (duplicate.key == key) {
          return duplicate;
        }
      }
    }
    return null;
  }

  List<InFlightTask> of(PartitionKey partitionKey) {
    List<InFlightTask> found = new ArrayList<>();
    for (ArrayDeque<InFlightTask> twins : waiting.values()) {
      for (InFlightTask duplicate : twins) {
        if (partitionKey.has(duplicate)) {
          found.add(duplicate);
        }
      }
    }
    return found;
  }

  /// The id is free: the next that waits for it may go on. One that is on its way out stays until
  /// its row is gone, or its place is lost.
  @Nullable InFlightTask next(String id) {
    InFlightTask next = first(id);
    if (next != null) {
      remove(next);
      free.addLast(next);
    }
    return next;
  }

  private @Nullable InFlightTask first(String id) {
    ArrayDeque<InFlightTask> twins = waiting.get(id);
    if (twins != null) {
      for (InFlightTask duplicate : twins) {
        if (duplicate.step() == Step.STORED) {
          return duplicate;
        }
      }
    }
    return null;
  }

  @Nullable InFlightTask pollReleased() {
    return free.pollFirst();
  }
}
