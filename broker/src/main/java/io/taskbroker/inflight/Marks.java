package io.taskbroker.inflight;

import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import java.util.ArrayDeque;

/// What the store is told of who has an activation. Lazily, because it matters only after a crash:
/// what is still running after the interval is marked, and what may run only once is marked ahead
/// (G3, H9). What is given up is marked so that the next broker lets it run on (H17). Not
/// thread-safe.
final class Marks {
  private final Flight flight;

  /// Entries that workers got lately, in that order: those that are still running when their time
  /// comes are marked.
  private final ArrayDeque<Entry> unmarked = new ArrayDeque<>();

  Marks(Flight flight) {
    this.flight = flight;
  }

  /// Writes down that a worker is about to have it.
  ///
  /// @param claimExpiresAt wall-clock milliseconds
  /// @param processingDeadline wall-clock milliseconds; [Row#NONE] until the worker has it
  void writeAhead(Entry entry, long claimExpiresAt, long processingDeadline) {
    entry.marked = true;
    entry.markedAt = flight.now;
    flight.mark(entry, entry.mark(claimExpiresAt, processingDeadline));
  }

  /// Whether what was written ahead still says enough for a worker to get it.
  boolean isFresh(Entry entry) {
    return entry.marked && flight.now - entry.markedAt < flight.options.periods().lease();
  }

  /// A worker has it: to be written down if that lasts.
  void writeLater(Entry entry) {
    if (!entry.inMarkQueue) {
      forgetDone();
      // A worker that got it while the broker is about to stop leaves no time to wait.
      long interval = flight.delivering ? flight.options.periods().markInterval() : 0;
      entry.markDue = flight.now + interval;
      entry.inMarkQueue = true;
      unmarked.addLast(entry);
    }
  }

  /// Lets go of those at the head that are done: most are long before their time comes.
  private void forgetDone() {
    Entry first = unmarked.peekFirst();
    while (first != null && (first.step == Entry.Step.REMOVING || first.step == Entry.Step.GONE)) {
      unmarked.removeFirst();
      first.inMarkQueue = false;
      first = unmarked.peekFirst();
    }
  }

  /// Writes down what workers have had for the interval, or all that they have.
  void write(boolean all) {
    Entry first = unmarked.peekFirst();
    while (first != null && (all || first.markDue <= flight.now)) {
      unmarked.removeFirst();
      first.inMarkQueue = false;
      if (first.status == Status.PROCESSING && first.step == Entry.Step.STORED) {
        writeNow(first);
      }
      first = unmarked.peekFirst();
    }
  }

  /// Writes down what the row does not say of an entry that is given up, so that another broker
  /// finds it as it is (H17). Returns false if there is nothing more to say.
  boolean tellMore(Entry entry) {
    return switch (entry.status) {
      case CLAIMED -> entry.inCall; // what comes of the call is soon known
      case PROCESSING -> {
        boolean told = entry.marked && !entry.inMarkQueue;
        if (!told) {
          entry.inMarkQueue = false;
          writeNow(entry);
        }
        yield !told;
      }
      case PENDING -> {
        boolean marked = entry.marked;
        unmark(entry);
        yield marked;
      }
      case DELAY, FAILURE, RETRY, COMPLETE -> false;
    };
  }

  private void writeNow(Entry entry) {
    entry.marked = true;
    entry.markedAt = flight.now;
    flight.mark(entry, entry.mark(Row.NONE, flight.wall(entry.deadline)));
  }

  /// Takes back the mark of what no worker has, if it has one.
  void unmark(Entry entry) {
    if (entry.marked && entry.status == Status.PENDING && entry.step == Entry.Step.STORED) {
      takeBack(entry);
    }
  }

  /// Writes down that no worker has it any more: it is pending again.
  void takeBack(Entry entry) {
    entry.marked = false;
    flight.mark(entry, entry.markIdle());
  }

  /// When the next mark is due; [Long#MAX_VALUE] if none is.
  long next() {
    Entry first = unmarked.peekFirst();
    return first == null ? Long.MAX_VALUE : first.markDue;
  }
}
