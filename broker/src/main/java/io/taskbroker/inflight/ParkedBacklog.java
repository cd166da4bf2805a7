package io.taskbroker.inflight;

import io.taskbroker.activation.Row;
import io.taskbroker.inflight.api.Command;

/// Parked rows of one priority of an application, and the cursor up to which they were read. Rows
/// are read in the order of (parkedUntil, key), each once; a newly parked row gets a position
/// behind the last one that was, or is being, read (H15). Not thread-safe.
final class ParkedBacklog {
  /// Rows are read this many milliseconds before they are due, so that they run in time.
  static final long LEAD_MS = 1_000;

  static final int PAGE = 256;

  /// Payload bytes at which a store ends a page that has fewer rows.
  static final long PAGE_BYTES = 4 << 20;

  private final ApplicationQueue queue;
  private final int priority;
  private long cursorDue = Long.MIN_VALUE;
  private long cursorKey = Long.MIN_VALUE;

  /// When the first unread row is due; [Row#NONE] if there is none.
  private long nextDue = Row.NONE;

  /// When the last page was requested, wall-clock milliseconds.
  private long askedAt = Long.MIN_VALUE;

  private boolean reading;
  private boolean rewound;
  private long readingUpTo;
  private long parkedMeanwhile = Row.NONE;

  ParkedBacklog(ApplicationQueue queue, int priority) {
    this.queue = queue;
    this.priority = priority;
  }

  int priority() {
    return priority;
  }

  /// Whether a page was requested that has not come.
  boolean isReading() {
    return reading;
  }

  /// Whether parked rows are left to read.
  boolean holdsAny() {
    return reading || nextDue != Row.NONE;
  }

  /// Whether parked rows that are due now are left to read.
  boolean holdsDue(long wall) {
    return reading || (nextDue != Row.NONE && nextDue <= wall);
  }

  /// Adds a newly parked row.
  ///
  /// @param key of the row, which may be less than that of a row of another broker
  /// @param due wall-clock milliseconds
  /// @return the time to park it until: `due`, or later if the rows of that time were read already
  long park(long key, long due) {
    long until = Math.max(due, reading && !rewound ? readingUpTo + 1 : cursorDue);
    if (until == cursorDue && key < cursorKey) {
      until++;
    }
    if (reading) {
      parkedMeanwhile = earlier(parkedMeanwhile, until);
    } else {
      nextDue = earlier(nextDue, until);
    }
    return until;
  }

  /// Adds a row found parked: at startup, or of an acquired partition.
  void found(long due) {
    if (reading) {
      parkedMeanwhile = earlier(parkedMeanwhile, due);
    } else {
      nextDue = earlier(nextDue, due);
    }
  }

  /// Restarts the cursor after the wall clock was set back, so that newly parked rows get positions
  /// by the new time. Rows that are read twice are not parked any more.
  void rewind() {
    cursorDue = Long.MIN_VALUE;
    cursorKey = Long.MIN_VALUE;
    askedAt = Long.MIN_VALUE;
    rewound = reading;
  }

  /// Requests the next page if it is due and there is room for `room` rows.
  void read(EngineState state, int room) {
    if (!reading && room > 0 && nextDue != Row.NONE && nextDue <= state.wall + LEAD_MS) {
      reading = true;
      state.memory.beginRead();
      askedAt = state.wall;
      readingUpTo = state.wall + LEAD_MS;
      parkedMeanwhile = Row.NONE;
      state.store.readParked(
          queue.application, priority, cursorDue, cursorKey, readingUpTo, Math.min(room, PAGE));
    }
  }

  /// Handles a page.
  void wasRead(EngineState state, Command.ParkedRead page) {
    reading = false;
    state.memory.endRead();
    if (!page.rows().isEmpty() && !rewound) {
      Row last = page.rows().getLast();
      cursorDue = last.parkedUntil();
      cursorKey = last.key();
    }
    rewound = false;
    nextDue =
        parkedMeanwhile == Row.NONE ? page.nextDue() : earlier(page.nextDue(), parkedMeanwhile);
  }

  /// When to read next, wall-clock milliseconds; [Long#MAX_VALUE] if there is nothing to read. Not
  /// before the last page was requested, so that an application with a large backlog goes behind
  /// those that became due meanwhile (G8).
  long nextRead() {
    return reading || nextDue == Row.NONE ? Long.MAX_VALUE : Math.max(nextDue - LEAD_MS, askedAt);
  }

  private static long earlier(long known, long due) {
    return known == Row.NONE ? due : Math.min(known, due);
  }
}
