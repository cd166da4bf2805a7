package io.taskbroker.inflight;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Entries that wait for the end of another of the same id. Where brokers share a store, the rows
/// of two places may have one id; workers report by it, so that one of them can be in flight at a
/// time. Those that wait count as what they are, but are in no queue. Not thread-safe.
final class Twins {
  private final Map<String, ArrayDeque<Entry>> waiting = new HashMap<>();

  /// Those whose turn has come.
  private final ArrayDeque<Entry> free = new ArrayDeque<>();

  boolean isEmpty() {
    return waiting.isEmpty();
  }

  void add(Entry entry) {
    waiting.computeIfAbsent(entry.id(), _ -> new ArrayDeque<>()).addLast(entry);
  }

  /// Forgets one that ended while it waited.
  void remove(Entry entry) {
    ArrayDeque<Entry> twins = waiting.get(entry.id());
    if (twins != null && twins.remove(entry) && twins.isEmpty()) {
      waiting.remove(entry.id());
    }
  }

  /// Whether one of them is to go on when the id is free.
  boolean waitFor(String id) {
    return first(id) != null;
  }

  /// The one of that key that waits; null if there is none.
  @Nullable Entry find(String id, long key) {
    ArrayDeque<Entry> twins = waiting.get(id);
    if (twins != null) {
      for (Entry twin : twins) {
        if (twin.key == key) {
          return twin;
        }
      }
    }
    return null;
  }

  List<Entry> of(Place place) {
    List<Entry> found = new ArrayList<>();
    for (ArrayDeque<Entry> twins : waiting.values()) {
      for (Entry twin : twins) {
        if (place.has(twin)) {
          found.add(twin);
        }
      }
    }
    return found;
  }

  /// The id is free: the next that waits for it may go on. One that is on its way out stays until
  /// its row is gone, or its place is lost.
  @Nullable Entry next(String id) {
    Entry next = first(id);
    if (next != null) {
      remove(next);
      free.addLast(next);
    }
    return next;
  }

  private @Nullable Entry first(String id) {
    ArrayDeque<Entry> twins = waiting.get(id);
    if (twins != null) {
      for (Entry twin : twins) {
        if (twin.step == Entry.Step.STORED) {
          return twin;
        }
      }
    }
    return null;
  }

  @Nullable Entry pollFree() {
    return free.pollFirst();
  }
}
