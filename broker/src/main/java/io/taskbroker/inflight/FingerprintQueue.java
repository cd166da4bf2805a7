package io.taskbroker.inflight;

import io.taskbroker.activation.Ids.Fingerprint;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// FIFO queue of id fingerprints in a ring of `long`, for millions of ids: 16 to 32 bytes each. Not
/// thread-safe.
final class FingerprintQueue {
  private static final int LEAST_SLOTS = 16;

  /// Two numbers for each slot; the length is a power of two.
  private long[] ring = new long[2 * LEAST_SLOTS];

  private int first;
  private int size;

  int size() {
    return size;
  }

  void addLast(Fingerprint id) {
    if (2 * size == ring.length) {
      long[] larger = new long[2 * ring.length];
      int tail = ring.length - 2 * first;
      System.arraycopy(ring, 2 * first, larger, 0, tail);
      System.arraycopy(ring, 0, larger, tail, 2 * first);
      ring = larger;
      first = 0;
    }
    int at = 2 * (first + size) & ring.length - 1;
    ring[at] = id.high();
    ring[at + 1] = id.low();
    size++;
  }

  /// The oldest id; null if the queue is empty.
  @Nullable Fingerprint peekFirst() {
    return size == 0 ? null : new Fingerprint(ring[2 * first], ring[2 * first + 1]);
  }

  /// Removes the oldest id; the queue must not be empty.
  void removeFirst() {
    first = first + 1 & ring.length / 2 - 1;
    size--;
    if (size == 0 && ring.length > 2 * LEAST_SLOTS) {
      ring = Arrays.copyOf(ring, 2 * LEAST_SLOTS);
      first = 0;
    }
  }
}
