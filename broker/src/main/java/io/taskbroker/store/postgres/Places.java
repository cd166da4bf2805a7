package io.taskbroker.store.postgres;

import io.taskbroker.activation.Origin;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.store.postgres.Place.Name;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/// The places that this broker has, as far as it knows: the database knows better, and is asked by
/// every commit (H10). Thread-safe.
final class Places {
  private final Place own;
  private final Map<Name, Place> taken = new ConcurrentHashMap<>();

  /// @param own for what came from no partition
  Places(Place own) {
    this.own = own;
  }

  Place own() {
    return own;
  }

  /// The place of a row; null if it is another broker's.
  @Nullable Place of(Origin origin) {
    return origin.partition() < 0 ? own : taken.get(new Name(origin.topic(), origin.partition()));
  }

  @Nullable Place of(SourcePartition partition) {
    return of(name(partition));
  }

  @Nullable Place of(Name name) {
    return taken.get(name);
  }

  void put(Name name, Place place) {
    taken.put(name, place);
  }

  void remove(Name name) {
    taken.remove(name);
  }

  /// Forgets a place that another broker took, unless it was taken back meanwhile.
  void lost(Place place) {
    taken.values().removeIf(mine -> mine == place);
  }

  /// Forgets all places but its own: the database went back, and says something else of them.
  ///
  /// @return those that were forgotten
  List<Place> loseAll() {
    List<Place> lost = new ArrayList<>(taken.values());
    taken.clear();
    return lost;
  }

  /// The slots of all of them.
  int[] slots() {
    return all().stream().mapToInt(Place::slot).toArray();
  }

  /// Those that came from partitions, with their names.
  List<Map.Entry<Name, Place>> taken() {
    List<Map.Entry<Name, Place>> all = new ArrayList<>();
    taken.forEach((name, place) -> all.add(Map.entry(name, place)));
    return all;
  }

  List<Place> all() {
    List<Place> all = new ArrayList<>(taken.values());
    all.add(own);
    return all;
  }

  /// The size of all of their rows.
  long bytes() {
    long sum = own.bytes().get();
    for (Place place : taken.values()) {
      sum += place.bytes().get();
    }
    return sum;
  }

  static Name name(SourcePartition partition) {
    return new Name(partition.topic(), partition.partition());
  }
}
