package io.taskbroker.engine;

import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Watermark;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Start offset of each partition: the lowest offset whose record may still be in flight, computed
/// without reading rows. Keys and offsets both ascend, so everything consumed when K was the last
/// key is done once the first key exceeds K. One long-lived row holds back the offsets of all
/// partitions. Not thread-safe.
final class StartOffsets {
  /// Most snapshots kept; beyond that every second one is dropped.
  static final int MAX_SNAPSHOTS = 64;

  private final List<Snapshot> snapshots = new ArrayList<>();
  private final Map<SourcePartition, Long> startOffsets = new HashMap<>();
  private final Map<SourcePartition, Long> seen = new HashMap<>();

  /// Records the state of the store between two transactions.
  ///
  /// @param firstKey smallest key of a row; [Long#MAX_VALUE] if there is no row
  /// @param lastKey largest key that any row has or had
  /// @return the start offsets known so far
  Map<SourcePartition, Long> observe(long firstKey, long lastKey, List<Watermark> watermarks) {
    var next = new HashMap<SourcePartition, Long>();
    for (Watermark watermark : watermarks) {
      Long before = seen.put(watermark.partition(), watermark.next());
      if (before != null && before > watermark.next()) {
        forget(watermark.partition());
      }
      next.put(watermark.partition(), watermark.next());
    }
    snapshots.add(new Snapshot(lastKey, next));
    while (!snapshots.isEmpty() && snapshots.getFirst().lastKey < firstKey) {
      startOffsets.putAll(snapshots.removeFirst().next);
    }
    if (snapshots.size() > MAX_SNAPSHOTS) {
      thin();
    }
    return Map.copyOf(startOffsets);
  }

  /// The partition was moved back: its records come again, under new keys.
  private void forget(SourcePartition partition) {
    startOffsets.remove(partition);
    snapshots.forEach(snapshot -> snapshot.next.remove(partition));
  }

  private void thin() {
    for (int i = snapshots.size() - 2; i >= 0; i -= 2) {
      snapshots.remove(i);
    }
  }

  /// Consumed offsets at the time when `lastKey` was the last key.
  private record Snapshot(long lastKey, Map<SourcePartition, Long> next) {}
}
