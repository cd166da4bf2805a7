package io.taskbroker.inflight;

import io.taskbroker.activation.Ids.Fingerprint;

/// Hash map from id fingerprints to numbers other than [#ABSENT], in three arrays, for millions of
/// ids. Open addressing with linear probing; removal shifts the following slots back. Not
/// thread-safe.
final class FingerprintMap {
  static final long ABSENT = Long.MIN_VALUE;

  private long[] high = new long[1024];
  private long[] low = new long[1024];
  private long[] values = filled(1024);
  private int size;

  int size() {
    return size;
  }

  long get(Fingerprint id) {
    return values[slot(id.high(), id.low())];
  }

  void put(Fingerprint id, long value) {
    if (2 * size >= values.length) {
      grow();
    }
    int slot = slot(id.high(), id.low());
    if (values[slot] == ABSENT) {
      size++;
    }
    high[slot] = id.high();
    low[slot] = id.low();
    values[slot] = value;
  }

  /// Removes the id and returns its value; [#ABSENT] if the map does not contain it.
  long remove(Fingerprint id) {
    int hole = slot(id.high(), id.low());
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

  private int slot(long wantedHigh, long wantedLow) {
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
    java.util.Arrays.fill(array, ABSENT);
    return array;
  }
}
