package io.taskbroker.inflight;

import io.taskbroker.activation.Status;

/// How long a worker may have an activation: the lease of its claim, until the worker is known to
/// have it, then its processing deadline; and what becomes of it when that has passed (G3, H9). Not
/// thread-safe.
final class TimeLimits {
  private final Flight flight;
  private final Endings endings;
  private final Marks marks;

  TimeLimits(Flight flight, Endings endings, Marks marks) {
    this.flight = flight;
    this.endings = endings;
    this.marks = marks;
  }

  /// It is on its way to a worker: its lease runs.
  void claimed(Entry entry) {
    entry.deadline = flight.now + flight.options.periods().lease();
    flight.timers.set(entry, entry.deadline);
  }

  /// A worker has it: its processing deadline runs.
  void started(Entry entry) {
    entry.mayHaveRun = true;
    entry.deadline = flight.now + processing(entry);
    flight.timers.set(entry, entry.deadline);
    marks.writeLater(entry);
  }

  /// How long it may be processed, in milliseconds.
  long processing(Entry entry) {
    return entry.activation.deadlineSeconds() * 1000L + flight.options.periods().grace();
  }

  /// A worker that has it let its time pass.
  void overdue(Entry entry) {
    if (entry.status == Status.CLAIMED) {
      leasePassed(entry);
    } else {
      deadlinePassed(entry);
    }
  }

  /// The lease of a claim passed.
  private void leasePassed(Entry entry) {
    flight.tally(Tally.LEASE_PASSED, entry);
    flight.effects.notice(Notice.LEASE_PASSED, entry.activation, "");
    if (entry.activation.atMostOnce()) {
      endings.fail(entry, "handed out, but nothing was heard of it");
    } else {
      entry.mayHaveRun = true;
      flight.turn(entry, Status.PENDING);
      endings.ready(entry, false);
    }
  }

  /// A processing deadline passed.
  private void deadlinePassed(Entry entry) {
    flight.tally(Tally.DEADLINE_PASSED, entry);
    flight.effects.notice(Notice.DEADLINE_PASSED, entry.activation, "");
    // Not its own fault if its worker has died of another one since.
    if (entry.claimedAt > entry.lane.diedAt) {
      entry.attempts++;
    }
    if (entry.activation.atMostOnce()) {
      endings.fail(entry, "processing deadline passed");
    } else if (entry.attempts >= flight.options.limits().maxAttempts()) {
      flight.tally(Tally.ATTEMPTS_EXCEEDED, entry);
      endings.fail(entry, entry.attempts + " processing deadlines passed");
    } else {
      flight.turn(entry, Status.PENDING);
      entry.deadlineExtended = false;
      marks.takeBack(entry);
      endings.ready(entry, false);
    }
  }
}
