package io.taskbroker.engine;

import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Watermark;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// From which offset on records of each partition may be in flight, found without looking at rows:
/// keys and offsets both ascend, so what was consumed when the last key was K is done once the
/// first key is above K. A row that stays long holds the offsets of all partitions back. Not
/// thread-safe.
final class StartOffsets {
  /// So many moments are remembered at most; every second of them is forgotten past that.
  static final int MAX_SNAPSHOTS = 64;

  private final List<Snapshot> snapshots = new ArrayList<>();
  private final Map<SourcePartition, Long> startOffsets = new HashMap<>();
  private final Map<SourcePartition, Long> seen = new HashMap<>();

  /// Takes note of the store as it is between two transactions.
  ///
  /// @param firstKey the smallest key of a row; [Long#MAX_VALUE] if there is none
  /// @param lastKey the largest key that any row has or had
  /// @return the offsets, of those partitions of which it is known
  Map<SourcePartition, Long> observe(long firstKey, long lastKey, List<Watermark> watermarks) {
    var next = new HashMap<SourcePartition, Long>();
    for (Watermark mark : watermarks) {
      Long before = seen.put(mark.partition(), mark.next());
      if (before != null && before > mark.next()) {
        forget(mark.partition());
      }
      next.put(mark.partition(), mark.next());
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

  /// Somebody moved the partition back: its records come again, under new keys.
  private void forget(SourcePartition partition) {
    startOffsets.remove(partition);
    snapshots.forEach(snapshot -> snapshot.next.remove(partition));
  }

  private void thin() {
    for (int i = snapshots.size() - 2; i >= 0; i -= 2) {
      snapshots.remove(i);
    }
  }

  /// How far the partitions were consumed when a key was the last.
  private record Snapshot(long lastKey, Map<SourcePartition, Long> next) {}
}
