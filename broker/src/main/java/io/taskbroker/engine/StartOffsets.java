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
  static final int MAX_MOMENTS = 64;

  private final List<Moment> moments = new ArrayList<>();
  private final Map<SourcePartition, Long> lows = new HashMap<>();
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
    moments.add(new Moment(lastKey, next));
    while (!moments.isEmpty() && moments.getFirst().lastKey < firstKey) {
      lows.putAll(moments.removeFirst().next);
    }
    if (moments.size() > MAX_MOMENTS) {
      thin();
    }
    return Map.copyOf(lows);
  }

  /// Somebody moved the partition back: its records come again, under new keys.
  private void forget(SourcePartition partition) {
    lows.remove(partition);
    moments.forEach(moment -> moment.next.remove(partition));
  }

  private void thin() {
    for (int i = moments.size() - 2; i >= 0; i -= 2) {
      moments.remove(i);
    }
  }

  /// How far the partitions were consumed when a key was the last.
  private record Moment(long lastKey, Map<SourcePartition, Long> next) {}
}
