package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import java.util.List;

/// What happens to entries when their time comes, and when the wall clock is set (H21). Not
/// thread-safe.
final class Wakes {
  private final Flight flight;
  private final Endings endings;
  private final Resumption resumption;
  private final ForeignReports foreign;

  Wakes(Flight flight, Endings endings, Resumption resumption, ForeignReports foreign) {
    this.flight = flight;
    this.endings = endings;
    this.resumption = resumption;
    this.foreign = foreign;
  }

  /// Wakes everything whose time has come.
  void wakeDue() {
    Entry due = flight.timers.poll(flight.now);
    while (due != null) {
      wake(due);
      due = flight.timers.poll(flight.now);
    }
  }

  private void wake(Entry entry) {
    switch (entry.status) {
      case DELAY -> {
        if (entry.activation.delayUntil() > flight.wall) {
          flight.timers.set(entry, flight.mono(entry.activation.delayUntil()));
        } else {
          flight.tally(Tally.DELAY_ELAPSED, entry);
          flight.follow(Life.DELAY_ENDED, entry.activation, "");
          flight.turn(entry, Status.PENDING);
          if (entry.step == Entry.Step.STORED && !flight.isUnproven(entry)) {
            resumption.runnable(entry);
          }
        }
      }
      case PENDING -> {
        if (flight.isExpired(entry.activation)) {
          endings.expire(entry);
        } else if (entry.queue == null) {
          resumption.runnable(entry);
        } else {
          flight.timers.set(entry, flight.mono(entry.activation.expiresAt()));
        }
      }
      case CLAIMED, PROCESSING -> foreign.overdue(entry);
      case FAILURE, RETRY, COMPLETE -> {}
    }
  }

  /// The wall clock stepped: what runs by it gets its time anew, and deadlines on disk, which are
  /// kept by it, too (H21).
  void rebase() {
    for (Entry entry : List.copyOf(flight.entries.values())) {
      if (entry.step != Entry.Step.STORED) {
        continue;
      }
      switch (entry.status) {
        case DELAY -> flight.timers.set(entry, flight.mono(entry.activation.delayUntil()));
        case PENDING -> {
          if (entry.queue != null && entry.activation.expiresAt() != Activation.NEVER) {
            flight.timers.set(entry, flight.mono(entry.activation.expiresAt()));
          }
        }
        case PROCESSING -> {
          if (entry.marked) {
            flight.mark(entry, entry.mark(Row.NONE, flight.wall(entry.deadline)));
          }
        }
        case CLAIMED, FAILURE, RETRY, COMPLETE -> {}
      }
    }
  }
}
