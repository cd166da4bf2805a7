package io.taskbroker.inflight;

import io.taskbroker.activation.Priority;
import io.taskbroker.inflight.api.Command;
import java.util.Arrays;
import java.util.List;

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

  /// The backlogs, the highest priority first; that of the normal one from the beginning.
  private ParkedBacklog[] levels;

  /// End of the wait for the last requested page, wall-clock milliseconds.
  private long patientUntil = Long.MIN_VALUE;

  /// Pages that were requested while several priorities were due.
  private int turns;

  ParkedBacklogs(ApplicationQueue queue) {
    this.queue = queue;
    this.levels = new ParkedBacklog[] {new ParkedBacklog(queue, Priority.NORMAL)};
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
    int place = 0;
    while (place < levels.length && levels[place].priority() > priority) {
      place++;
    }
    if (place == levels.length || levels[place].priority() != priority) {
      ParkedBacklog[] more = Arrays.copyOf(levels, levels.length + 1);
      System.arraycopy(levels, place, more, place + 1, levels.length - place);
      more[place] = new ParkedBacklog(queue, priority);
      levels = more;
    }
    return levels[place];
  }

  /// Whether parked rows are left to read.
  boolean holdsAny() {
    for (ParkedBacklog backlog : levels) {
      if (backlog.holdsAny()) {
        return true;
      }
    }
    return false;
  }

  /// The priorities with parked rows to read.
  List<Integer> priorities() {
    return Arrays.stream(levels)
        .filter(ParkedBacklog::holdsAny)
        .map(ParkedBacklog::priority)
        .toList();
  }

  /// Whether parked rows of this priority or a higher one are due and left to read.
  ///
  /// @param wall milliseconds since the epoch
  boolean holdsDue(int priority, long wall) {
    for (ParkedBacklog backlog : levels) {
      if (backlog.priority() >= priority && backlog.holdsDue(wall)) {
        return true;
      }
    }
    return false;
  }

  /// Whether parked rows of a lower priority are due and left to read.
  ///
  /// @param wall milliseconds since the epoch
  boolean holdsDueBelow(int priority, long wall) {
    for (ParkedBacklog backlog : levels) {
      if (backlog.priority() < priority && backlog.holdsDue(wall)) {
        return true;
      }
    }
    return false;
  }

  /// As [ParkedBacklog#rewind].
  void rewind() {
    for (ParkedBacklog backlog : levels) {
      backlog.rewind();
    }
    patientUntil = Long.MIN_VALUE;
  }

  /// Requests the next page if one is due, and there is room for `room` rows.
  void read(EngineState state, int room) {
    if (levels.length == 1) {
      levels[0].read(state, room);
    } else if (!isReading() || state.wall >= patientUntil) {
      ParkedBacklog first = null;
      ParkedBacklog oldest = null;
      for (ParkedBacklog backlog : levels) {
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
    for (ParkedBacklog backlog : levels) {
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
    if (levels.length == 1) {
      return levels[0].nextRead();
    }
    long next = Long.MAX_VALUE;
    for (ParkedBacklog backlog : levels) {
      next = Math.min(next, backlog.nextRead());
    }
    return next != Long.MAX_VALUE && isReading() ? Math.max(next, patientUntil) : next;
  }
}
