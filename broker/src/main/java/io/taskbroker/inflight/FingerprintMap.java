package io.taskbroker.inflight;

import io.taskbroker.activation.Ids.Fingerprint;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Hash map from id fingerprints to numbers other than [#ABSENT], in arrays of `long`, for millions
/// of ids. It consists of [#SEGMENTS] tables that grow one by one, so that growing never needs
/// another copy of all. Not thread-safe.
final class FingerprintMap {
  static final long ABSENT = Long.MIN_VALUE;

  /// Upper bound of the bytes of an id, in a map of more than a thousand: three numbers, in a table
  /// that is at least three eighths full.
  static final int ID_BYTES = 64;

  private static final int SEGMENTS = 64;

  private final @Nullable Segment[] segments = new @Nullable Segment[SEGMENTS];
  private int size;

  int size() {
    return size;
  }

  long get(Fingerprint id) {
    Segment segment = segments[segmentOf(id)];
    return segment == null ? ABSENT : segment.values[segment.slot(id.high(), id.low())];
  }

  void put(Fingerprint id, long value) {
    int index = segmentOf(id);
    Segment segment = segments[index];
    if (segment == null) {
      segment = new Segment();
      segments[index] = segment;
    }
    size -= segment.size;
    segment.put(id.high(), id.low(), value);
    size += segment.size;
  }

  /// Removes the id and returns its value; [#ABSENT] if the map does not contain it.
  long remove(Fingerprint id) {
    Segment segment = segments[segmentOf(id)];
    if (segment == null) {
      return ABSENT;
    }
    size -= segment.size;
    long removed = segment.remove(id.high(), id.low());
    size += segment.size;
    return removed;
  }

  /// Segment of an id: the highest bits of the low half, whose lowest bits choose the slot.
  private static int segmentOf(Fingerprint id) {
    return (int) (id.low() >>> (Long.SIZE - Integer.numberOfTrailingZeros(SEGMENTS)));
  }

  /// Table with open addressing and linear probing, at most three quarters full; removal shifts the
  /// following slots back.
  private static final class Segment {
    private static final int LEAST_SLOTS = 16;

    private long[] high = new long[LEAST_SLOTS];
    private long[] low = new long[LEAST_SLOTS];
    private long[] values = filled(LEAST_SLOTS);
    private int size;

    void put(long idHigh, long idLow, long value) {
      if (4 * (size + 1) > 3 * values.length) {
        grow();
      }
      int slot = slot(idHigh, idLow);
      if (values[slot] == ABSENT) {
        size++;
      }
      high[slot] = idHigh;
      low[slot] = idLow;
      values[slot] = value;
    }

    long remove(long idHigh, long idLow) {
      int hole = slot(idHigh, idLow);
      long removed = values[hole];
      if (removed == ABSENT) {
        return ABSENT;
      }
      size--;
      int mask = values.length - 1;
      for (int at = hole + 1 & mask; values[at] != ABSENT; at = at + 1 & mask) {
        int home = (int) low[at] & mask;
        if ((at - home & mask) >= (at - hole & mask)) {
          high[hole] = high[at];
          low[hole] = low[at];
          values[hole] = values[at];
          hole = at;
        }
      }
      values[hole] = ABSENT;
      return removed;
    }

    /// The slot of an id, or the free one that it would take.
    int slot(long wantedHigh, long wantedLow) {
      int mask = values.length - 1;
      int at = (int) wantedLow & mask;
      while (values[at] != ABSENT && (low[at] != wantedLow || high[at] != wantedHigh)) {
        at = at + 1 & mask;
      }
      return at;
    }

    private void grow() {
      long[] oldHigh = high;
      long[] oldLow = low;
      long[] oldValues = values;
      high = new long[oldValues.length * 2];
      low = new long[oldValues.length * 2];
      values = filled(oldValues.length * 2);
      for (int i = 0; i < oldValues.length; i++) {
        if (oldValues[i] != ABSENT) {
          int slot = slot(oldHigh[i], oldLow[i]);
          high[slot] = oldHigh[i];
          low[slot] = oldLow[i];
          values[slot] = oldValues[i];
        }
      }
    }

    private static long[] filled(int length) {
      long[] array = new long[length];
      Arrays.fill(array, ABSENT);
      return array;
    }
  }
}
