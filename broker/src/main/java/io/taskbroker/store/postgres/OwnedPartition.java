package io.taskbroker.store.postgres;

import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Watermark;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/// State of one owned partition, or of the rows without a partition. Each take creates a new
/// object. Thread-safe; after the take, only the committer writes to it.
final class OwnedPartition {
  private final int id;
  private final Map<SourcePartition, VersionedWatermark> watermarks = new ConcurrentHashMap<>();
  private final AtomicLong bytes = new AtomicLong();
  private volatile long purgedUntil; // no tombstone that expired by then is left

  OwnedPartition(int id) {
    this.id = id;
  }

  /// The `partition_id` in the tables.
  int id() {
    return id;
  }

  /// Watermarks as the table has them.
  Map<SourcePartition, VersionedWatermark> watermarks() {
    return watermarks;
  }

  /// Size of its rows.
  AtomicLong bytes() {
    return bytes;
  }

  /// Time until which tombstones are purged: none that expired by then is left.
  long purgedUntil() {
    return purgedUntil;
  }

  void purgedUntil(long until) {
    purgedUntil = until;
  }

  /// @param version the version of the row of the watermark
  record VersionedWatermark(Watermark watermark, long version) {}

  /// Topic and number of a partition, as rows have them.
  record Name(String topic, int partition) {
    /// Name of the partition of a member slot, for rows that came from no partition.
    static Name ofMemberSlot(int memberSlot) {
      return new Name("", -1 - memberSlot);
    }
  }
}
