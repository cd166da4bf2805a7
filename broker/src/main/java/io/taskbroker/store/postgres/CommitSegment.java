package io.taskbroker.store.postgres;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.Row;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Changes of rows that may be applied kind by kind, in the order of [Kind], as if they were
/// applied one by one: no row has two of one kind, nor one of an earlier kind behind one of a later
/// (H20).
final class CommitSegment {
  private final Map<Long, Kind> last = new HashMap<>();
  private final Map<Kind, Part> parts = new EnumMap<>(Kind.class);

  /// What is done to a row, in the order in which it is done.
  enum Kind {
    INSERT('i'),
    MARK('m'),
    PROVE('p'),
    LEAVE('v'),
    LEAVE_WITH_PAYLOAD('y'),
    DELETE('d');

    private final char letter;

    Kind(char letter) {
      this.letter = letter;
    }

    /// Tells it in the shape of a script.
    char letter() {
      return letter;
    }
  }

  /// The changes of one kind, and where they are in their batch.
  static final class Part {
    final Kind kind;
    final List<Change> changes = new ArrayList<>();
    final List<OwnedPartition> places = new ArrayList<>();
    final List<Integer> indices = new ArrayList<>();

    Part(Kind kind) {
      this.kind = kind;
    }

    int[] slots() {
      int[] slots = new int[places.size()];
      for (int i = 0; i < slots.length; i++) {
        slots[i] = places.get(i).slot();
      }
      return slots;
    }

    long[] keys() {
      long[] keys = new long[changes.size()];
      for (int i = 0; i < keys.length; i++) {
        keys[i] = key(changes.get(i));
      }
      return keys;
    }
  }

  /// Adds a change of a row, if it may be applied with those that are there.
  boolean add(Kind kind, Change change, OwnedPartition place, int index) {
    Kind before = last.get(key(change));
    if (before != null && before.compareTo(kind) >= 0) {
      return false;
    }
    last.put(key(change), kind);
    Part part = parts.computeIfAbsent(kind, Part::new);
    part.changes.add(change);
    part.places.add(place);
    part.indices.add(index);
    return true;
  }

  /// The changes of a kind.
  List<Change> changes(Kind kind) {
    Part part = parts.get(kind);
    return part == null ? List.of() : part.changes;
  }

  /// The kinds that there are, with their changes.
  Collection<Part> parts() {
    return parts.values();
  }

  /// The key of the row that a change is about; [Row#NONE] if it is about none.
  static long key(Change change) {
    return switch (change) {
      case Change.Insert insert -> insert.row().key();
      case Change.UpdateStatus mark -> mark.key();
      case Change.ConfirmOffset prove -> prove.key();
      case Change.Forward leave -> leave.key();
      case Change.Delete delete -> delete.key();
      case Change.AdvanceWatermark _, Change.OffsetCommitted _ -> Row.NONE;
    };
  }
}
