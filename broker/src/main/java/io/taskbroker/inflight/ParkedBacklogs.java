package io.taskbroker.inflight;

import io.taskbroker.activation.Priority;
import io.taskbroker.inflight.api.Command;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Parked rows of an application: a backlog for each priority. The next page is of the highest
/// priority that is due; each [#OLDEST_EVERY]th page is of the priority whose rows are due first,
/// so that none waits forever. One page is read at a time, unless the store does not answer: an
/// insert of a row that is due first may wait for space, which only other rows can make (H12). Not
/// thread-safe.
final class ParkedBacklogs {
  /// Number of pages of which one goes to the rows that are due first.
  static final int OLDEST_EVERY = PriorityPicker.OLDEST_EVERY;

  /// How long a requested page keeps other priorities from being read, milliseconds.
  static final long PATIENCE_MS = 1_000;

  private final ApplicationQueue queue;
  private final ParkedBacklog normal;

  /// All backlogs, the highest priority first; null while there is only the normal one.
  private @Nullable TreeMap<Integer, ParkedBacklog> byPriority;

  /// End of the wait for the last requested page, wall-clock milliseconds.
  private long patientUntil = Long.MIN_VALUE;

  /// Pages that were requested while several priorities were due.
  private int turns;

  ParkedBacklogs(ApplicationQueue queue) {
    this.queue = queue;
    this.normal = new ParkedBacklog(queue, Priority.NORMAL);
  }

  /// As [ParkedBacklog#park].
  long park(int priority, long key, long due) {
    return of(priority).park(key, due);
  }

  /// As [ParkedBacklog#found].
  void found(int priority, long due) {
    of(priority).found(due);
  }

  private ParkedBacklog of(int priority) {
    if (byPriority == null) {
      if (priority == Priority.NORMAL) {
        return normal;
      }
      byPriority = new TreeMap<>(Comparator.reverseOrder());
      byPriority.put(Priority.NORMAL, normal);
    }
    return byPriority.computeIfAbsent(priority, _ -> new ParkedBacklog(queue, priority));
  }

  /// Whether parked rows are left to read.
  boolean holdsAny() {
    if (byPriority == null) {
      return normal.holdsAny();
    }
    for (ParkedBacklog backlog : byPriority.values()) {
      if (backlog.holdsAny()) {
        return true;
      }
    }
    return false;
  }

  /// The priorities with parked rows to read.
  List<Integer> priorities() {
    if (byPriority == null) {
      return normal.holdsAny() ? List.of(Priority.NORMAL) : List.of();
    }
    var found = new ArrayList<Integer>();
    byPriority.forEach((priority, backlog) -> {
      if (backlog.holdsAny()) {
        found.add(priority);
      }
    });
    return found;
  }

  /// Whether parked rows of this priority or a higher one are due and left to read.
  ///
  /// @param wall milliseconds since the epoch
  boolean holdsDue(int priority, long wall) {
    if (byPriority == null) {
      return priority <= Priority.NORMAL && normal.holdsDue(wall);
    }
    for (ParkedBacklog backlog : byPriority.headMap(priority, true).values()) {
      if (backlog.holdsDue(wall)) {
        return true;
      }
    }
    return false;
  }

  /// Whether parked rows of a lower priority are due and left to read.
  ///
  /// @param wall milliseconds since the epoch
  boolean holdsDueBelow(int priority, long wall) {
    if (byPriority == null) {
      return priority > Priority.NORMAL && normal.holdsDue(wall);
    }
    for (ParkedBacklog backlog : byPriority.tailMap(priority, false).values()) {
      if (backlog.holdsDue(wall)) {
        return true;
      }
    }
    return false;
  }

  /// As [ParkedBacklog#rewind].
  void rewind() {
    if (byPriority == null) {
      normal.rewind();
    } else {
      byPriority.values().forEach(ParkedBacklog::rewind);
      patientUntil = Long.MIN_VALUE;
    }
  }

  /// Requests the next page if one is due, and there is room for `room` rows.
  void read(EngineState state, int room) {
    if (byPriority == null) {
      normal.read(state, room);
    } else if (!isReading() || state.wall >= patientUntil) {
      ParkedBacklog first = null;
      ParkedBacklog oldest = null;
      for (ParkedBacklog backlog : byPriority.values()) {
        if (backlog.nextRead() <= state.wall) {
          first = first == null ? backlog : first;
          oldest = oldest == null || backlog.nextRead() < oldest.nextRead() ? backlog : oldest;
        }
      }
      if (first != null && oldest != null) {
        turns = first == oldest ? turns : turns + 1;
        patientUntil = state.wall + PATIENCE_MS;
        (Math.floorMod(turns, OLDEST_EVERY) == 0 ? oldest : first).read(state, room);
      }
    }
  }

  /// Whether a page was requested that has not come.
  boolean isReading() {
    if (byPriority == null) {
      return normal.isReading();
    }
    for (ParkedBacklog backlog : byPriority.values()) {
      if (backlog.isReading()) {
        return true;
      }
    }
    return false;
  }

  /// Handles a page.
  void wasRead(EngineState state, Command.ParkedRead page) {
    patientUntil = Long.MIN_VALUE;
    of(page.priority()).wasRead(state, page);
  }

  /// As [ParkedBacklog#nextRead].
  long nextRead() {
    if (byPriority == null) {
      return normal.nextRead();
    }
    long next = Long.MAX_VALUE;
    for (ParkedBacklog backlog : byPriority.values()) {
      next = Math.min(next, backlog.nextRead());
    }
    return next != Long.MAX_VALUE && isReading() ? Math.max(next, patientUntil) : next;
  }
}
