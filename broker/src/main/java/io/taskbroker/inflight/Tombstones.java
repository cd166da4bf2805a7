package io.taskbroker.inflight;

import io.taskbroker.activation.Ids;
import io.taskbroker.activation.Ids.Fingerprint;
import org.jspecify.annotations.Nullable;

/// Ids that must not come again for a while: those of finished retries and at-most-once activations
/// (H8). Bounded: the oldest is evicted above [#MAX]. Not thread-safe.
final class Tombstones {
  static final int MAX = Ids.MOST_REMEMBERED;

  private final FingerprintMap until = new FingerprintMap();
  private final FingerprintQueue order = new FingerprintQueue();

  /// Adds the id until `end`, wall-clock milliseconds.
  void add(Fingerprint id, long end) {
    if (until.get(id) == FingerprintMap.ABSENT) {
      order.addLast(id);
    }
    until.put(id, end);
    if (order.size() > MAX) {
      evictOldest();
    }
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
    @Nullable Fingerprint oldest = order.peekFirst();
    while (oldest != null && until.get(oldest) <= wall) {
      evictOldest();
      oldest = order.peekFirst();
    }
  }

  private void evictOldest() {
    Fingerprint oldest = order.peekFirst();
    if (oldest != null) {
      order.removeFirst();
      until.remove(oldest);
    }
  }
}
