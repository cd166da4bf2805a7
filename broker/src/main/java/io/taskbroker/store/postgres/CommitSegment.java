package io.taskbroker.store.postgres;

import io.taskbroker.activation.Change;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Row changes that can be applied kind by kind, in the order of [Kind], with the same result as
/// one by one: no row has two changes of one kind, nor one of an earlier kind after one of a later
/// kind (H20).
final class CommitSegment {
  private final Map<Long, Kind> last = new HashMap<>();
  private final Map<Kind, Part> parts = new EnumMap<>(Kind.class);

  /// Kind of a row change, in the order of execution.
  enum Kind {
    INSERT('i'),
    FIRE('s'),
    UPDATE_STATUS('m'),
    CONFIRM_OFFSET('p'),
    CHANGE_DELAY('e'),
    CHANGE_PRIORITY('q'),
    FORWARD('v'),
    FORWARD_WITH_PAYLOAD('y'),
    RETRY('r'),
    DELETE('d');

    private final char letter;

    Kind(char letter) {
      this.letter = letter;
    }

    /// Identifies the kind in the shape of a script.
    char letter() {
      return letter;
    }
  }

  /// Changes of one kind, with their indices in the batch.
  static final class Part {
    final Kind kind;
    final List<Change> changes = new ArrayList<>();
    final List<OwnedPartition> ownedPartitions = new ArrayList<>();
    final List<Integer> indices = new ArrayList<>();

    Part(Kind kind) {
      this.kind = kind;
    }

    int[] partitionIds() {
      int[] partitionIds = new int[ownedPartitions.size()];
      for (int i = 0; i < partitionIds.length; i++) {
        partitionIds[i] = ownedPartitions.get(i).id();
      }
      return partitionIds;
    }

    long[] keys() {
      long[] keys = new long[changes.size()];
      for (int i = 0; i < keys.length; i++) {
        keys[i] = changes.get(i).key();
      }
      return keys;
    }
  }

  /// Adds a change.
  ///
  /// @return false if it must go into a later segment
  boolean add(Kind kind, Change change, OwnedPartition ownedPartition, int index) {
    Kind before = last.get(change.key());
    if (before != null && before.compareTo(kind) >= 0) {
      return false;
    }
    last.put(change.key(), kind);
    Part part = parts.computeIfAbsent(kind, Part::new);
    part.changes.add(change);
    part.ownedPartitions.add(ownedPartition);
    part.indices.add(index);
    return true;
  }

  /// Changes of a kind.
  List<Change> changes(Kind kind) {
    Part part = parts.get(kind);
    return part == null ? List.of() : part.changes;
  }

  /// Non-empty kinds with their changes.
  Collection<Part> parts() {
    return parts.values();
  }
}
