package io.taskbroker.inflight;

import io.taskbroker.activation.Ids.Fingerprint;
import io.taskbroker.activation.Origin;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Ids of the parked rows with their keys, and whether they leave tombstones: all that memory holds
/// of them. In a shared store they are grouped by [PartitionKey], since a partition is lost as a
/// whole, and two partitions may have a row of the same id. Not thread-safe.
///
/// There may be a million of them. Keys use all bits but the sign, which says whether the id leaves
/// a tombstone.
final class ParkedIds {
  private final Map<PartitionKey, FingerprintMap> groups = new HashMap<>();
  private final boolean byPartition;
  private int size;

  /// @param byPartition whether partitions come and go; otherwise all rows share one group
  ParkedIds(boolean byPartition) {
    this.byPartition = byPartition;
  }

  int size() {
    return size;
  }

  /// @param leavesTombstone whether the id leaves a tombstone when the row ends (H8)
  void put(Fingerprint id, Origin origin, long key, boolean leavesTombstone) {
    FingerprintMap ids = groups.computeIfAbsent(groupOf(origin), _ -> new FingerprintMap());
    size -= ids.size();
    ids.put(id, leavesTombstone ? ~key : key);
    size += ids.size();
  }

  /// Whether the row of that key is parked.
  boolean has(Fingerprint id, Origin origin, long key) {
    FingerprintMap ids = groups.get(groupOf(origin));
    return ids != null && key(ids.get(id)) == key;
  }

  boolean has(Fingerprint id) {
    return size > 0 && find(id) != null;
  }

  /// A partition with a parked row of that id; null if there is none.
  @Nullable PartitionKey find(Fingerprint id) {
    for (Map.Entry<PartitionKey, FingerprintMap> group : groups.entrySet()) {
      if (group.getValue().get(id) != FingerprintMap.ABSENT) {
        return group.getKey();
      }
    }
    return null;
  }

  /// The partition of the parked row with that id and key; null if there is none.
  @Nullable PartitionKey find(Fingerprint id, long key) {
    for (Map.Entry<PartitionKey, FingerprintMap> group : groups.entrySet()) {
      if (key(group.getValue().get(id)) == key) {
        return group.getKey();
      }
    }
    return null;
  }

  /// The key of the row of that id; [FingerprintMap#ABSENT] if it is not parked.
  long key(Fingerprint id, PartitionKey partitionKey) {
    FingerprintMap ids = groups.get(partitionKey);
    return ids == null ? FingerprintMap.ABSENT : key(ids.get(id));
  }

  /// Whether the id of a parked row leaves a tombstone when it ends (H8).
  boolean leavesTombstone(Fingerprint id, PartitionKey partitionKey) {
    FingerprintMap ids = groups.get(partitionKey);
    long value = ids == null ? FingerprintMap.ABSENT : ids.get(id);
    return value < 0 && value != FingerprintMap.ABSENT;
  }

  /// Removes the id of a row and returns the key; [FingerprintMap#ABSENT] if it is not parked.
  long remove(Fingerprint id, Origin origin) {
    return remove(id, groupOf(origin));
  }

  long remove(Fingerprint id, PartitionKey partitionKey) {
    FingerprintMap ids = groups.get(partitionKey);
    if (ids == null) {
      return FingerprintMap.ABSENT;
    }
    long removed = ids.remove(id);
    if (removed != FingerprintMap.ABSENT) {
      size--;
    }
    return key(removed);
  }

  /// Removes all ids of a partition.
  void forget(PartitionKey partitionKey) {
    FingerprintMap ids = groups.remove(partitionKey);
    if (ids != null) {
      size -= ids.size();
    }
  }

  private static long key(long value) {
    return value < 0 && value != FingerprintMap.ABSENT ? ~value : value;
  }

  private PartitionKey groupOf(Origin origin) {
    return byPartition ? PartitionKey.of(origin) : PartitionKey.NO_PARTITION;
  }
}
