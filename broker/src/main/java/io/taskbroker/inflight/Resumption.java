package io.taskbroker.inflight;

import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;

/// How rows that are found in the store go on from where another run, or another broker, left them
/// (H9, H16), and how what is durable becomes runnable. Not thread-safe.
final class Resumption {
  private final Flight flight;
  private final Endings endings;
  private final Proofs proofs;
  private final Rulings rulings;

  Resumption(Flight flight, Endings endings, Proofs proofs, Rulings rulings) {
    this.flight = flight;
    this.endings = endings;
    this.proofs = proofs;
    this.rulings = rulings;
  }

  /// The entry of a row, which is not in flight yet.
  Entry entry(Row row) {
    Lane lane = flight.lane(row.activation().application());
    Entry entry = new Entry(row.key(), row.activation(), row.status(), lane);
    entry.step = Entry.Step.STORED;
    entry.attempts = row.attempts();
    entry.committed = row.committed();
    entry.deadlineExtended = row.deadlineExtended();
    entry.deadline = Math.max(row.processingDeadline(), row.claimExpiresAt());
    // Nothing is to be written down of it, also if its place goes before it is resumed.
    entry.marked = row.status() == Status.PROCESSING;
    entry.destination = row.leaving();
    return entry;
  }

  /// Goes on with a row from where its last run left it.
  ///
  /// @param inOrder whether no worker has what is pending
  void resume(Entry entry, boolean inOrder) {
    if (!rulings.admits(entry)) {
      return;
    }
    switch (entry.status) {
      case PENDING -> resumePending(entry, inOrder);
      case DELAY -> resumeDelayed(entry, inOrder);
      case CLAIMED, PROCESSING -> resumeHandedOut(entry, inOrder);
      case FAILURE -> {
        if (entry.destination != null) {
          entry.step = Entry.Step.LEAVING;
          endings.produce(entry);
        } else {
          endings.fail(entry, "it had failed before the restart");
        }
      }
      case RETRY -> {
        if (entry.destination != null) {
          entry.step = Entry.Step.LEAVING;
          endings.produce(entry);
        } else {
          endings.retry(entry, -1, -1);
        }
      }
      case COMPLETE -> endings.remove(entry, false);
    }
  }

  /// A delay that has ended ended before the restart, perhaps: the row does not say so, since it is
  /// not written down. One that has not may have ended by the clock of the life before, which may
  /// have been set back since: a report of it takes effect, too (G2).
  private void resumeDelayed(Entry entry, boolean inOrder) {
    if (flight.isEarly(entry.activation)) {
      entry.mayHaveRun = !entry.activation.atMostOnce();
      stored(entry);
    } else {
      delayEnded(entry);
      resumePending(entry, inOrder);
    }
  }

  /// A worker may have it, since marks are lazy: it waits a moment, so that a report that is on its
  /// way comes first, and every report of it takes effect (G2). What may run only once has a mark
  /// if a worker has it.
  private void resumePending(Entry entry, boolean inOrder) {
    entry.mayHaveRun = !entry.activation.atMostOnce();
    if (entry.attempts > 0 && entry.attempts >= flight.options.limits().maxAttempts()) {
      // As a reference broker leaves it, which counts in one step and acts on it in another.
      endings.fail(entry, entry.attempts + " processing deadlines passed");
    } else if (inOrder || entry.activation.atMostOnce()) {
      stored(entry);
    } else {
      flight.timers.set(entry, flight.now + flight.options.periods().settle());
    }
  }

  /// Goes on with a row that was parked when this life began: the life before may have read it back
  /// and handed it out, of which the row says nothing.
  void resumeParked(Entry entry) {
    if (entry.status == Status.DELAY && !flight.isEarly(entry.activation)) {
      delayEnded(entry);
    }
    entry.mayHaveRun = !entry.activation.atMostOnce();
    if (entry.mayHaveRun && entry.status == Status.PENDING && flight.settlesAt() > flight.now) {
      flight.timers.set(entry, flight.settlesAt());
    } else {
      stored(entry);
    }
  }

  private void delayEnded(Entry entry) {
    flight.tally(Tally.DELAY_ELAPSED, entry);
    flight.follow(Life.DELAY_ENDED, entry.activation, "");
    flight.turn(entry, Status.PENDING);
  }

  /// A worker has it, or had: it keeps its deadline, moved once so that reports get through first
  /// (H16). A claim that was not followed up is free again, unless it may run only once (H9).
  private void resumeHandedOut(Entry entry, boolean inOrder) {
    if (entry.status == Status.CLAIMED && !entry.activation.atMostOnce()) {
      flight.turn(entry, Status.PENDING);
      resumePending(entry, inOrder);
      return;
    }
    long deadline = entry.deadline;
    if (deadline <= 0) {
      deadline =
          flight.wall
              + entry.activation.deadlineSeconds() * 1000L
              + flight.options.periods().grace();
    }
    long earliest = flight.wall + flight.options.periods().restartGrace();
    boolean extend = deadline < earliest && !entry.deadlineExtended;
    if (extend) {
      deadline = earliest;
      entry.deadlineExtended = true;
    }
    entry.marked = true;
    entry.markedAt = flight.now;
    entry.deadline = flight.mono(deadline);
    flight.timers.set(entry, entry.deadline);
    if (extend) {
      if (entry.status == Status.CLAIMED) {
        flight.turn(entry, Status.PROCESSING);
      }
      flight.mark(entry, entry.mark(Row.NONE, deadline));
    }
  }

  /// An insert is durable.
  void inserted(Entry entry) {
    Command.EnqueueReply enqueued = entry.enqueued;
    if (enqueued != null) {
      entry.enqueued = null;
      flight.effects.reply(enqueued);
    }
    if (entry.step == Entry.Step.STORING) {
      entry.step = Entry.Step.STORED;
      stored(entry);
    } else {
      endings.produce(entry);
    }
  }

  /// It is durable and may run: now, when its delay ends, or when its offset is committed.
  void stored(Entry entry) {
    boolean unproven = flight.isUnproven(entry);
    if (unproven) {
      proofs.unproven(entry);
    }
    if (entry.step != Entry.Step.STORED) {
      return;
    }
    if (entry.status == Status.DELAY) {
      flight.timers.set(entry, flight.mono(entry.activation.delayUntil()));
    } else if (proofs.mayHaveRun(entry)) {
      endings.fail(entry, "it is read again since the store went back, and may have been run");
    } else if (entry.status == Status.PENDING && !unproven) {
      runnable(entry);
    }
  }

  /// Nothing keeps it from running.
  void runnable(Entry entry) {
    if (flight.options.pushes() && !entry.lane.routable) {
      flight.notice(entry.lane, Notice.NO_WORKER, entry.activation.taskname());
    }
    endings.ready(entry, false);
  }
}
