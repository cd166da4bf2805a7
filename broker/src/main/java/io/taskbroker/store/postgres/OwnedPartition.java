package io.taskbroker.store.postgres;

import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Watermark;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/// What this broker has of one partition, or of what came from none, since it took it: a new object
/// for each time. Thread-safe; after it was taken, the committer alone writes to it.
final class OwnedPartition {
  private final int slot;
  private final Map<SourcePartition, Mark> marks = new ConcurrentHashMap<>();
  private final AtomicLong bytes = new AtomicLong();
  private volatile long purged; // no tombstone ends before

  OwnedPartition(int slot) {
    this.slot = slot;
  }

  /// Its number in the tables.
  int slot() {
    return slot;
  }

  /// How far it was consumed, as the table has it.
  Map<SourcePartition, Mark> marks() {
    return marks;
  }

  /// The size of its rows.
  AtomicLong bytes() {
    return bytes;
  }

  /// No tombstone that ended by then is left.
  long purged() {
    return purged;
  }

  void purged(long until) {
    purged = until;
  }

  /// @param version that of the row of the watermark
  record Mark(Watermark watermark, long version) {}

  /// A partition by the names that rows have for it.
  record Name(String topic, int partition) {
    /// What came from no partition to the broker of a seat.
    static Name ofSeat(int seat) {
      return new Name("", -1 - seat);
    }
  }
}
