package io.taskbroker.inflight;

import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Index of ready queues by the arrival of their first tasks: finds the oldest of many without a
/// scan (G8). Not thread-safe.
final class OldestFirstIndex {
  private final TreeMap<Long, ReadyQueue> byAge = new TreeMap<>();

  /// Updates the index after the first task of a queue may have changed.
  ///
  /// @param before the first task at the last update; null if there was none
  void changed(ReadyQueue queue, @Nullable InFlightTask before) {
    InFlightTask first = queue.first();
    if (first == before) {
      return;
    }
    if (before != null) {
      byAge.remove(before.key);
    }
    if (first != null) {
      byAge.put(first.key, queue);
    }
  }

  boolean isEmpty() {
    return byAge.isEmpty();
  }

  void clear() {
    byAge.clear();
  }

  /// The task that arrived first; null if there is none.
  @Nullable InFlightTask oldest() {
    Map.Entry<Long, ReadyQueue> oldest = byAge.firstEntry();
    return oldest == null ? null : oldest.getValue().first();
  }
}
