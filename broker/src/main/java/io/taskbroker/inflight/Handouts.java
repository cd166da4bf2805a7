package io.taskbroker.inflight;

import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import org.jspecify.annotations.Nullable;

/// How activations get to workers: the oldest that may run is claimed for a call, or for whoever
/// asks. What may run only once is handed out when its mark is durable, and not twice (G3, H9). Not
/// thread-safe.
final class Handouts {
  private final Flight flight;
  private final Endings endings;
  private final Marks marks;
  private final TimeLimits limits;

  Handouts(Flight flight, Endings endings, Marks marks, TimeLimits limits) {
    this.flight = flight;
    this.endings = endings;
    this.marks = marks;
    this.limits = limits;
  }

  /// Sends what the lane's worker can take.
  void pump(Lane lane) {
    while (flight.delivers() && flight.hasRoom() && lane.maySend(flight.now)) {
      Entry entry = oldest(lane, null);
      if (entry == null) {
        return;
      }
      if (entry.isSuspect()) {
        if (lane.calls > 0) {
          return; // it is called for alone
        }
        lane.suspect = entry;
      }
      lane.calls++;
      hand(entry, Taker.Push.WORKER);
    }
  }

  /// Gives the worker that asks the oldest activation that fits.
  void claim(@Nullable String application, @Nullable String namespace, Taker taker) {
    Entry entry = null;
    if (flight.delivers() && !taker.isGone()) {
      if (application != null) {
        Lane lane = flight.lanes.find(application);
        entry = lane == null ? null : oldest(lane, namespace);
      } else if (namespace == null) {
        entry = oldestOfAll();
      }
    }
    if (entry == null) {
      taker.take(flight.effects, null);
    } else {
      hand(entry, taker);
    }
  }

  private @Nullable Entry oldestOfAll() {
    Entry entry = flight.lanes.oldest();
    while (entry != null) {
      // It is what its lane has first, unless its time is over, or is yet to come.
      if (oldest(entry.lane, null) == entry) {
        return entry;
      }
      entry = flight.lanes.oldest();
    }
    return null;
  }

  /// The oldest runnable entry whose time is now.
  private @Nullable Entry oldest(Lane lane, @Nullable String namespace) {
    Entry entry = lane.oldest(namespace);
    while (entry != null) {
      if (flight.isExpired(entry.activation)) {
        endings.expire(entry);
      } else if (flight.isEarly(entry.activation)) {
        flight.detach(entry);
        endings.ready(entry, false);
      } else {
        return entry;
      }
      entry = lane.oldest(namespace);
    }
    return null;
  }

  /// Claims the entry for the taker: at once, or when its mark is durable if it may run only once
  /// (G3, H9).
  private void hand(Entry entry, Taker taker) {
    flight.detach(entry);
    flight.turn(entry, taker == Taker.Push.WORKER ? Status.CLAIMED : Status.PROCESSING);
    if (entry.activation.atMostOnce() && !marks.isFresh(entry)) {
      entry.taker = taker;
      entry.step = Entry.Step.MARKING;
      marks.writeAhead(
          entry,
          flight.wall + flight.options.periods().lease(),
          entry.status == Status.PROCESSING ? flight.wall + limits.processing(entry) : Row.NONE);
    } else {
      handOver(entry, taker);
    }
  }

  /// A mark, or a proof, is durable. Somebody may have waited for the last one of the entry.
  void marked(Entry entry) {
    entry.marksUnderWay--;
    if (entry.step != Entry.Step.MARKING || entry.marksUnderWay > 0) {
      return;
    }
    Taker taker = entry.taker;
    entry.taker = null;
    entry.step = Entry.Step.STORED;
    if (taker == null) {
      endings.ready(entry, false);
    } else if (flight.isExpired(entry.activation)) {
      entry.taker = taker;
      endings.expire(entry);
    } else if (!flight.delivers()
        || entry.givenUp
        || taker.isGone()
        || flight.isEarly(entry.activation)
        || entry.demotion != null
        || !marks.isFresh(entry)) {
      giveBack(taker, entry);
    } else {
      handOver(entry, taker);
    }
  }

  /// It was not handed out, and its mark says that it was: the mark is taken back.
  private void giveBack(Taker taker, Entry entry) {
    if (taker == Taker.Push.WORKER) {
      entry.lane.calls--;
    }
    taker.take(flight.effects, null);
    flight.turn(entry, Status.PENDING);
    marks.takeBack(entry);
    endings.ready(entry, true);
  }

  private void handOver(Entry entry, Taker taker) {
    entry.deliveries++;
    entry.claimedAt = flight.now;
    if (taker == Taker.Push.WORKER) {
      entry.inCall = true;
      limits.claimed(entry);
    } else {
      entry.lane.succeeded(flight.now);
      limits.started(entry);
    }
    flight.tallyUnlessRepeated(taker == Taker.Push.WORKER ? Tally.CLAIMED : Tally.PULLED, entry);
    flight.follow(taker == Taker.Push.WORKER ? Life.CALLED : Life.FETCHED, entry.activation, "");
    taker.take(
        flight.effects,
        new Delivery(
            entry.id(),
            entry.lane.application,
            entry.activation.payload(),
            entry.deliveries,
            entry));
  }
}
