package io.taskbroker.store.postgres;

import io.taskbroker.activation.Origin;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.store.postgres.OwnedPartition.Name;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/// Partitions that this broker believes it owns. The database decides: every commit checks the
/// ownership (H10). Thread-safe.
final class OwnedPartitions {
  private final OwnedPartition own;
  private final Map<Name, OwnedPartition> taken = new ConcurrentHashMap<>();

  /// @param own the partition of rows that came from no partition
  OwnedPartitions(OwnedPartition own) {
    this.own = own;
  }

  OwnedPartition own() {
    return own;
  }

  /// The partition of a row; null if another broker owns it.
  @Nullable OwnedPartition of(Origin origin) {
    return origin.partition() < 0 ? own : taken.get(new Name(origin.topic(), origin.partition()));
  }

  @Nullable OwnedPartition of(SourcePartition partition) {
    return of(name(partition));
  }

  @Nullable OwnedPartition of(Name name) {
    return taken.get(name);
  }

  void put(Name name, OwnedPartition ownedPartition) {
    taken.put(name, ownedPartition);
  }

  void remove(Name name) {
    taken.remove(name);
  }

  /// Drops a partition that another broker took, unless it was taken back meanwhile.
  void drop(OwnedPartition ownedPartition) {
    taken.values().removeIf(each -> each == ownedPartition);
  }

  /// Drops all partitions except the one of the member slot, after the database lost transactions.
  ///
  /// @return the dropped partitions
  List<OwnedPartition> dropAll() {
    List<OwnedPartition> lost = new ArrayList<>(taken.values());
    taken.clear();
    return lost;
  }

  /// Ids of all partitions.
  int[] ids() {
    return all().stream().mapToInt(OwnedPartition::id).toArray();
  }

  /// Partitions of topics, by name.
  List<Map.Entry<Name, OwnedPartition>> taken() {
    List<Map.Entry<Name, OwnedPartition>> all = new ArrayList<>();
    taken.forEach((name, ownedPartition) -> all.add(Map.entry(name, ownedPartition)));
    return all;
  }

  List<OwnedPartition> all() {
    List<OwnedPartition> all = new ArrayList<>(taken.values());
    all.add(own);
    return all;
  }

  /// Size of the rows of all partitions.
  long bytes() {
    long sum = own.bytes().get();
    for (OwnedPartition ownedPartition : taken.values()) {
      sum += ownedPartition.bytes().get();
    }
    return sum;
  }

  static Name name(SourcePartition partition) {
    return new Name(partition.topic(), partition.partition());
  }
}
