package io.taskbroker.inflight;

import io.taskbroker.activation.Ids;
import io.taskbroker.activation.Ids.Fingerprint;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Ids that must not come again for a while: those of finished retries and at-most-once activations
/// (H8), and those that clients chose. Bounded: above [#MAX] the one that ends first is evicted.
/// Not thread-safe.
final class Tombstones {
  static final int MAX = Ids.MOST_REMEMBERED;

  /// Powers of two up to the longest time in seconds.
  private static final int LENGTHS = 22;

  private final FingerprintMap until = new FingerprintMap();

  /// The ids by the length of their time in powers of two, each in the order in which they were
  /// added: so an id of a week does not keep those of a minute behind it.
  private final List<FingerprintQueue> orders =
      Stream.generate(FingerprintQueue::new).limit(LENGTHS).toList();

  /// Adds the id until `end`, wall-clock milliseconds.
  void add(Fingerprint id, long end, long wall) {
    if (until.get(id) == FingerprintMap.ABSENT) {
      orders.get(length(end - wall)).addLast(id);
    }
    until.put(id, end);
    if (until.size() > MAX) {
      evict();
    }
  }

  private static int length(long millis) {
    return Math.min(
        LENGTHS - 1, Long.SIZE - Long.numberOfLeadingZeros(Math.max(0, millis) / 1_000));
  }

  private void evict() {
    FingerprintQueue first = orders.getFirst();
    @Nullable Fingerprint ends = null;
    for (FingerprintQueue order : orders) {
      @Nullable Fingerprint oldest = order.peekFirst();
      if (oldest != null && (ends == null || until.get(oldest) < until.get(ends))) {
        first = order;
        ends = oldest;
      }
    }
    if (ends != null) {
      first.removeFirst();
      until.remove(ends);
    }
  }

  int size() {
    return until.size();
  }

  /// When the tombstone of the id ends; [FingerprintMap#ABSENT] if there is none.
  long until(String id) {
    return until.size() > 0 ? until.get(Ids.fingerprint(id)) : FingerprintMap.ABSENT;
  }

  boolean has(String id, long wall) {
    return until.size() > 0 && until.get(Ids.fingerprint(id)) > wall;
  }

  /// Removes the tombstones that have ended.
  void forget(long wall) {
    for (int i = 0; i < LENGTHS && until.size() > 0; i++) { // allocates no iterator
      forget(i, wall);
    }
  }

  private void forget(int length, long wall) {
    FingerprintQueue order = orders.get(length);
    @Nullable Fingerprint oldest = order.peekFirst();
    while (oldest != null) {
      long left = until.get(oldest) - wall;
      if (left <= 0) {
        until.remove(oldest);
      } else if (length(left) > length) {
        orders.get(length(left)).addLast(oldest); // it was added again, for longer
      } else {
        return;
      }
      order.removeFirst();
      oldest = order.peekFirst();
    }
  }
}
