package io.taskbroker.store.postgres;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.Row;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Changes of rows that may be applied kind by kind, in the order of [Kind], as if they were
/// applied one by one: no row has two of one kind, nor one of an earlier kind behind one of a later
/// (H20).
final class Segment {
  private final Map<Long, Kind> last = new HashMap<>();
  private final List<Part> parts = new ArrayList<>(); // by the order of their kinds

  Segment() {
    for (Kind kind : Kind.values()) {
      parts.add(new Part(kind));
    }
  }

  /// What is done to a row, in the order in which it is done.
  enum Kind {
    INSERT,
    MARK,
    PROVE,
    LEAVE,
    LEAVE_WITH_PAYLOAD,
    DELETE
  }

  /// The changes of one kind, and where they are in their batch.
  static final class Part {
    final Kind kind;
    final List<Change> changes = new ArrayList<>();
    final List<Place> places = new ArrayList<>();
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
  boolean add(Kind kind, Change change, Place place, int index) {
    Kind before = last.get(key(change));
    if (before != null && before.compareTo(kind) >= 0) {
      return false;
    }
    last.put(key(change), kind);
    Part part = parts.get(kind.ordinal());
    part.changes.add(change);
    part.places.add(place);
    part.indices.add(index);
    return true;
  }

  Part of(Kind kind) {
    return parts.get(kind.ordinal());
  }

  /// The kinds that there are, with their changes.
  List<Part> parts() {
    List<Part> some = new ArrayList<>(parts);
    some.removeIf(part -> part.changes.isEmpty());
    return some;
  }

  /// The key of the row that a change is about; [Row#NONE] if it is about none.
  static long key(Change change) {
    return switch (change) {
      case Change.Insert insert -> insert.row().key();
      case Change.Mark mark -> mark.key();
      case Change.Prove prove -> prove.key();
      case Change.Leave leave -> leave.key();
      case Change.Delete delete -> delete.key();
      case Change.Consumed _, Change.OffsetCommitted _ -> Row.NONE;
    };
  }
}
