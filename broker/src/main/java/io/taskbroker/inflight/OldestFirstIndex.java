package io.taskbroker.inflight;

import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Ready queues in the order in which their first entries arrived, so that the oldest of many is
/// found without looking at all (G8). Not thread-safe.
final class OldestFirstIndex {
  private final TreeMap<Long, ReadyQueue> byAge = new TreeMap<>();

  /// Takes note that another entry may be the first of the queue, or none.
  ///
  /// @param before the first entry when this was last told; null if there was none
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

  /// The entry that arrived first; null if there is none.
  @Nullable InFlightTask oldest() {
    Map.Entry<Long, ReadyQueue> oldest = byAge.firstEntry();
    return oldest == null ? null : oldest.getValue().first();
  }
}
