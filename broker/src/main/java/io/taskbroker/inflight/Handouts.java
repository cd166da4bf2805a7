package io.taskbroker.inflight;

import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/// How activations get to workers and back: claims, leases, processing deadlines and their marks.
/// Not thread-safe.
final class Handouts {
  /// After how many refusals, with as many of its neighbours taken meanwhile, an activation has
  /// failed (H24).
  private static final int MAX_REFUSALS = 10;

  private static final long REFUSED_MIN_MS = 100;
  private static final long REFUSED_MAX_MS = 2_000;

  private final Flight flight;
  private final Endings endings;

  /// Entries that workers got lately, in that order: those that are still running when their time
  /// comes are marked.
  private final ArrayDeque<Entry> unmarked = new ArrayDeque<>();

  Handouts(Flight flight, Endings endings) {
    this.flight = flight;
    this.endings = endings;
  }

  /// Sends what the lane's worker can take.
  void pump(Lane lane) {
    while (flight.delivers() && flight.hasRoom() && lane.maySend(flight.now)) {
      Entry entry = oldest(lane, null);
      if (entry == null) {
        return;
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
        Lane lane = flight.lanes.get(application);
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
    Entry entry = flight.ready.oldest();
    while (entry != null) {
      // It is what its lane has first, unless its time is over, or is yet to come.
      if (oldest(entry.lane, null) == entry) {
        return entry;
      }
      entry = flight.ready.oldest();
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
    if (entry.activation.atMostOnce() && !markIsFresh(entry)) {
      entry.taker = taker;
      entry.step = Entry.Step.MARKING;
      entry.markedAt = flight.now;
      entry.marked = true;
      flight.mark(
          entry,
          entry.mark(
              flight.wall + flight.options.periods().lease(),
              entry.status == Status.PROCESSING ? flight.wall + allowed(entry) : Row.NONE));
    } else {
      handOver(entry, taker);
    }
  }

  private boolean markIsFresh(Entry entry) {
    return entry.marked && flight.now - entry.markedAt < flight.options.periods().lease();
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
        || !markIsFresh(entry)) {
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
    entry.marked = false;
    flight.turn(entry, Status.PENDING);
    flight.mark(entry, entry.markIdle());
    endings.ready(entry, true);
  }

  private void handOver(Entry entry, Taker taker) {
    entry.deliveries++;
    entry.claimedAt = flight.now;
    if (taker == Taker.Push.WORKER) {
      entry.inCall = true;
      entry.deadline = flight.now + flight.options.periods().lease();
      flight.timers.set(entry, entry.deadline);
    } else {
      entry.lane.succeeded(flight.now);
      process(entry);
    }
    tally(taker == Taker.Push.WORKER ? Tally.CLAIMED : Tally.PULLED, entry);
    taker.take(
        flight.effects,
        new Delivery(
            entry.id(),
            entry.lane.application,
            entry.activation.payload(),
            entry.deliveries,
            entry));
  }

  /// How long something takes that had to be tried again says nothing.
  private void tally(Tally tally, Entry entry) {
    if (entry.attempts == 0) {
      flight.tally(tally, entry.activation);
    }
  }

  /// A worker has it: its processing deadline runs.
  private void process(Entry entry) {
    entry.deadline = flight.now + allowed(entry);
    flight.timers.set(entry, entry.deadline);
    if (!entry.inMarkQueue) {
      // A worker that got it while the broker is about to stop leaves no time to wait.
      long interval = flight.delivering ? flight.options.periods().markInterval() : 0;
      entry.markDue = flight.now + interval;
      entry.inMarkQueue = true;
      unmarked.addLast(entry);
    }
  }

  private long allowed(Entry entry) {
    return entry.activation.deadlineSeconds() * 1000L + flight.options.periods().grace();
  }

  void pushed(Delivery delivery, PushOutcome outcome, String detail) {
    if (!(delivery.owner() instanceof Entry entry)) {
      return;
    }
    Lane lane = entry.lane;
    judge(lane, entry.claimedAt, outcome, detail);
    lane.calls--;
    entry.inCall &= entry.deliveries != delivery.deliveries();
    if (outcome == PushOutcome.ACCEPTED) {
      // Its report may have come before.
      tally(Tally.PUSHED, entry);
    }
    if (entry.status == Status.CLAIMED && entry.deliveries == delivery.deliveries()) {
      follow(entry, outcome, detail);
    }
  }

  /// What the outcome says of the worker (H24: only failures of the connection count against it).
  private void judge(Lane lane, long sentAt, PushOutcome outcome, String detail) {
    switch (outcome) {
      case ACCEPTED -> {
        lane.window.accepted(sentAt, flight.now, lane.calls);
        lane.succeeded(flight.now);
      }
      case REFUSED -> {}
      case BUSY -> {
        lane.window.busy(sentAt, flight.now);
        lane.pause(sentAt, flight.now, flight.random);
      }
      case UNREACHABLE, LOST -> {
        lane.window.failed();
        lane.pause(sentAt, flight.now, flight.random);
        notice(lane, Notice.WORKER_UNREACHABLE, detail);
      }
    }
  }

  private void follow(Entry entry, PushOutcome outcome, String detail) {
    boolean once = entry.activation.atMostOnce();
    switch (outcome) {
      case ACCEPTED -> {
        flight.turn(entry, Status.PROCESSING);
        process(entry);
      }
      case BUSY, UNREACHABLE -> {
        flight.timers.cancel(entry);
        flight.turn(entry, Status.PENDING);
        endings.ready(entry, true);
      }
      case REFUSED -> {
        flight.effects.notice(Notice.PUSH_REFUSED, entry.id(), detail);
        if (!once) {
          refused(entry, detail);
        }
      }
      case LOST -> {
        if (!once) {
          postpone(entry, REFUSED_MAX_MS / 2);
        }
      }
    }
  }

  private void refused(Entry entry, String detail) {
    if (entry.refusals++ == 0) {
      entry.acceptedAtFirstRefusal = entry.lane.accepted;
    }
    if (entry.refusals >= MAX_REFUSALS
        && entry.lane.accepted - entry.acceptedAtFirstRefusal >= MAX_REFUSALS) {
      endings.fail(entry, "refused " + entry.refusals + " times: " + detail);
    } else {
      postpone(entry, Math.min(REFUSED_MAX_MS, REFUSED_MIN_MS << Math.min(entry.refusals - 1, 10)));
    }
  }

  /// Makes it pending again, but not runnable for a while.
  private void postpone(Entry entry, long longest) {
    flight.turn(entry, Status.PENDING);
    flight.timers.set(entry, flight.now + longest / 2 + flight.random.nextLong(longest / 2 + 1));
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
    flight.tally(Tally.LEASE_PASSED, entry.activation);
    flight.effects.notice(Notice.LEASE_PASSED, entry.id(), entry.activation.taskname());
    if (entry.activation.atMostOnce()) {
      endings.fail(entry, "handed out, but nothing was heard of it");
    } else {
      flight.turn(entry, Status.PENDING);
      endings.ready(entry, false);
    }
  }

  /// A processing deadline passed.
  private void deadlinePassed(Entry entry) {
    flight.tally(Tally.DEADLINE_PASSED, entry.activation);
    flight.effects.notice(Notice.DEADLINE_PASSED, entry.id(), entry.activation.taskname());
    entry.attempts++;
    if (entry.activation.atMostOnce()) {
      endings.fail(entry, "processing deadline passed");
    } else if (entry.attempts >= flight.options.limits().maxAttempts()) {
      flight.tally(Tally.ATTEMPTS_EXCEEDED, entry.activation);
      endings.fail(entry, entry.attempts + " processing deadlines passed");
    } else {
      flight.turn(entry, Status.PENDING);
      entry.marked = false;
      entry.deadlineExtended = false;
      flight.mark(entry, entry.markIdle());
      endings.ready(entry, false);
    }
  }

  /// Writes down what workers have had for the interval, or all that they have.
  void mark(boolean all) {
    Entry first = unmarked.peekFirst();
    while (first != null && (all || first.markDue <= flight.now)) {
      unmarked.removeFirst();
      first.inMarkQueue = false;
      if (first.status == Status.PROCESSING && first.step == Entry.Step.STORED) {
        markNow(first);
      }
      first = unmarked.peekFirst();
    }
  }

  /// Writes down what the row does not say of an entry that is given up, so that another broker
  /// finds it as it is (H17). Returns false if there is nothing more to say.
  boolean tellsMore(Entry entry) {
    return switch (entry.status) {
      case CLAIMED -> entry.inCall; // what comes of the call is soon known
      case PROCESSING -> {
        boolean told = entry.marked && !entry.inMarkQueue;
        if (!told) {
          entry.inMarkQueue = false;
          markNow(entry);
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

  private void markNow(Entry entry) {
    entry.marked = true;
    entry.markedAt = flight.now;
    flight.mark(entry, entry.mark(Row.NONE, flight.wall(entry.deadline)));
  }

  /// Takes back the mark of what no worker has.
  void unmark(Entry entry) {
    if (entry.marked && entry.status == Status.PENDING && entry.step == Entry.Step.STORED) {
      entry.marked = false;
      flight.mark(entry, entry.markIdle());
    }
  }

  /// When the next mark is due; [Long#MAX_VALUE] if none is.
  long nextMark() {
    Entry first = unmarked.peekFirst();
    return first == null ? Long.MAX_VALUE : first.markDue;
  }

  /// Says it of a lane once a minute.
  void notice(Lane lane, Notice notice, String detail) {
    if (flight.now - lane.noticedAt >= 60_000 || lane.noticedAt == Long.MIN_VALUE) {
      lane.noticedAt = flight.now;
      flight.effects.notice(notice, lane.application, detail);
    }
  }
}
