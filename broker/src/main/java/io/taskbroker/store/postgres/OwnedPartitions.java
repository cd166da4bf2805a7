package io.taskbroker.store.postgres;

import io.taskbroker.activation.Origin;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.store.postgres.OwnedPartition.Name;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/// The places that this broker has, as far as it knows: the database knows better, and is asked by
/// every commit (H10). Thread-safe.
final class OwnedPartitions {
  private final OwnedPartition own;
  private final Map<Name, OwnedPartition> taken = new ConcurrentHashMap<>();

  /// @param own for what came from no partition
  OwnedPartitions(OwnedPartition own) {
    this.own = own;
  }

  OwnedPartition own() {
    return own;
  }

  /// The place of a row; null if it is another broker's.
  @Nullable OwnedPartition of(Origin origin) {
    return origin.partition() < 0 ? own : taken.get(new Name(origin.topic(), origin.partition()));
  }

  @Nullable OwnedPartition of(SourcePartition partition) {
    return of(name(partition));
  }

  @Nullable OwnedPartition of(Name name) {
    return taken.get(name);
  }

  void put(Name name, OwnedPartition place) {
    taken.put(name, place);
  }

  void remove(Name name) {
    taken.remove(name);
  }

  /// Forgets a place that another broker took, unless it was taken back meanwhile.
  void lost(OwnedPartition place) {
    taken.values().removeIf(mine -> mine == place);
  }

  /// Forgets all places but its own: the database went back, and says something else of them.
  ///
  /// @return those that were forgotten
  List<OwnedPartition> loseAll() {
    List<OwnedPartition> lost = new ArrayList<>(taken.values());
    taken.clear();
    return lost;
  }

  /// The slots of all of them.
  int[] slots() {
    return all().stream().mapToInt(OwnedPartition::slot).toArray();
  }

  /// Those that came from partitions, with their names.
  List<Map.Entry<Name, OwnedPartition>> taken() {
    List<Map.Entry<Name, OwnedPartition>> all = new ArrayList<>();
    taken.forEach((name, place) -> all.add(Map.entry(name, place)));
    return all;
  }

  List<OwnedPartition> all() {
    List<OwnedPartition> all = new ArrayList<>(taken.values());
    all.add(own);
    return all;
  }

  /// The size of all of their rows.
  long bytes() {
    long sum = own.bytes().get();
    for (OwnedPartition place : taken.values()) {
      sum += place.bytes().get();
    }
    return sum;
  }

  static Name name(SourcePartition partition) {
    return new Name(partition.topic(), partition.partition());
  }
}
