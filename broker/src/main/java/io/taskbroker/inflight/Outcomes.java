package io.taskbroker.inflight;

import io.taskbroker.activation.Status;

/// Consequences of the end of a push call: for the activation, which may have reached its worker
/// (H9), and for its lane, whose worker may be away, full, misconfigured, or refusing this
/// activation only (H24). Not thread-safe.
///
/// What is refused for load comes again however often. Other outcomes end an activation only if its
/// neighbours prove that it is the cause.
final class Outcomes {
  /// Refusals, and neighbours taken meanwhile, after which an activation has failed (H24).
  private static final int MAX_REFUSALS = 10;

  /// Where the worker may be the cause of a refusal, it takes so many calls of neighbours for each
  /// that it rejects, before the activation has failed.
  private static final int TAKEN_PER_REJECTED = 10;

  private static final long REFUSED_MIN_MS = 100;
  private static final long REFUSED_MAX_MS = 2_000;
  private static final long UNCERTAIN_MIN_MS = 1_000;
  private static final long UNCERTAIN_MAX_MS = 60_000;

  private final Flight flight;
  private final Endings endings;
  private final Marks marks;
  private final TimeLimits limits;

  Outcomes(Flight flight, Endings endings, Marks marks, TimeLimits limits) {
    this.flight = flight;
    this.endings = endings;
    this.marks = marks;
    this.limits = limits;
  }

  void pushed(Command.Pushed pushed) {
    Delivery delivery = pushed.delivery();
    PushOutcome outcome = pushed.outcome();
    String detail = pushed.detail();
    if (!(delivery.owner() instanceof Entry entry)) {
      return;
    }
    Lane lane = entry.lane;
    boolean latest = entry.deliveries == delivery.deliveries();
    boolean alone = lane.suspect == entry;
    if (alone) {
      lane.suspect = null;
    }
    if (outcome == PushOutcome.ACCEPTED && latest) {
      lane.window.accepted(entry.claimedAt, flight.now);
    }
    lane.calls--;
    entry.inCall &= !latest;
    if (!pushed.others() || !isOfOneWorker(entry, outcome)) {
      judge(entry, outcome, detail);
    }
    if (outcome == PushOutcome.ACCEPTED) {
      // Its report may have come before.
      flight.tallyUnlessRepeated(Tally.PUSHED, entry);
      flight.follow(Life.TAKEN, entry.activation, "");
    }
    if (outcome != PushOutcome.ACCEPTED && flight.follows) {
      flight.follow(Life.NOT_TAKEN, entry.activation, outcome + ": " + detail);
    }
    if (entry.status == Status.CLAIMED && latest) {
      follow(entry, outcome, detail, alone);
    }
  }

  /// Whether an outcome says something of one worker only, though it has others beside it: where
  /// that proves that nobody has the activation, or others were taken meanwhile.
  private static boolean isOfOneWorker(Entry entry, PushOutcome outcome) {
    return switch (outcome) {
      case ACCEPTED, REFUSED, REJECTED, UNANSWERED -> false;
      case BUSY, UNREACHABLE -> true;
      case OVERLOADED, LOST -> entry.lane.progressAt > entry.claimedAt;
    };
  }

  /// What the outcome says of the worker.
  private void judge(Entry entry, PushOutcome outcome, String detail) {
    Lane lane = entry.lane;
    long sentAt = entry.claimedAt;
    switch (outcome) {
      case ACCEPTED -> lane.succeeded(flight.now);
      case REFUSED -> {}
      case BUSY, OVERLOADED -> {
        lane.window.busy(sentAt, flight.now, lane.calls);
        lane.pauseForLoad(sentAt, flight.now, flight.random);
        if (outcome == PushOutcome.OVERLOADED && lane.isHeldUpForLong()) {
          flight.notice(lane, Notice.WORKER_OVERLOADED, detail);
        }
      }
      case REJECTED -> {
        lane.rejected++;
        if (lane.rejects(sentAt, entry.activation.atMostOnce(), flight.now, flight.random)) {
          flight.notice(lane, Notice.WORKER_REJECTS, detail);
        }
      }
      case UNANSWERED -> {
        // Where others were taken meanwhile, it is the call and not the worker that hangs.
        if (lane.progressAt <= sentAt) {
          unreached(lane, sentAt, detail);
        }
      }
      case UNREACHABLE, LOST -> unreached(lane, sentAt, detail);
    }
  }

  private void unreached(Lane lane, long sentAt, String detail) {
    lane.window.failed(flight.now);
    lane.pause(sentAt, flight.now, flight.random);
    flight.notice(lane, Notice.WORKER_UNREACHABLE, detail);
  }

  private void follow(Entry entry, PushOutcome outcome, String detail, boolean alone) {
    boolean once = entry.activation.atMostOnce();
    switch (outcome) {
      case ACCEPTED -> {
        entry.refusals = 0;
        entry.silences = 0;
        entry.losses = 0;
        flight.turn(entry, Status.PROCESSING);
        limits.started(entry);
      }
      case BUSY, UNREACHABLE -> giveBack(entry);
      case OVERLOADED -> {
        if (!once) {
          postpone(entry, UNCERTAIN_MIN_MS);
        }
      }
      case REFUSED, REJECTED -> {
        flight.effects.notice(Notice.PUSH_REFUSED, entry.activation, detail);
        if (!once) {
          refused(entry, outcome, detail);
        }
      }
      case UNANSWERED -> {
        if (!once) {
          postpone(entry, uncertain(entry.silences));
          entry.silences = more(entry.silences);
        }
      }
      case LOST -> {
        if (!once) {
          lost(entry, detail, alone);
        }
      }
    }
  }

  private void giveBack(Entry entry) {
    flight.timers.cancel(entry);
    flight.turn(entry, Status.PENDING);
    endings.ready(entry, true);
  }

  private void refused(Entry entry, PushOutcome outcome, String detail) {
    Lane lane = entry.lane;
    entry.refusals = more(entry.refusals);
    if (entry.refusals == 1) {
      entry.acceptedAtRefusal = (int) lane.accepted;
      entry.rejectedAtRefusal = (int) lane.rejected;
    }
    if (entry.refusals >= MAX_REFUSALS && isToBlame(entry, outcome)) {
      endings.fail(entry, "refused " + entry.refusals + " times: " + detail);
    } else {
      postpone(entry, pause(entry));
    }
  }

  /// The longest wait after a refusal; longer still for what is refused while others are taken.
  private static long pause(Entry entry) {
    if (entry.refusals > MAX_REFUSALS && (int) entry.lane.accepted != entry.acceptedAtRefusal) {
      return uncertain(entry.refusals - MAX_REFUSALS);
    }
    return Math.min(REFUSED_MAX_MS, REFUSED_MIN_MS << Math.min(entry.refusals - 1, 10));
  }

  /// Whether its worker took others meanwhile: if it may be the worker's fault, nearly all others.
  private static boolean isToBlame(Entry entry, PushOutcome outcome) {
    int accepted = (int) entry.lane.accepted - entry.acceptedAtRefusal;
    int all = (int) entry.lane.rejected - entry.rejectedAtRefusal;
    int rejected = all - (entry.refusals - 1); // of others
    return accepted >= MAX_REFUSALS
        && (outcome == PushOutcome.REFUSED || accepted / TAKEN_PER_REJECTED >= rejected);
  }

  /// The connection broke, perhaps as the worker died, perhaps of this activation. That it did is
  /// proven by workers that die when they are called with it alone, while they take others, or
  /// while there are no others; each such death counts as an attempt (G8).
  private void lost(Entry entry, String detail, boolean alone) {
    Lane lane = entry.lane;
    boolean othersPass = entry.losses > 0 && (int) lane.accepted != entry.acceptedAtLoss;
    entry.losses = more(entry.losses);
    entry.acceptedAtLoss = (int) lane.accepted;
    if (!alone || !(othersPass || lane.hasNoOther())) {
      postpone(entry, uncertain(entry.losses - 1));
      return;
    }
    lane.diedAt = flight.now;
    entry.attempts++;
    flight.effects.notice(Notice.WORKER_DIED, entry.activation, detail);
    if (entry.attempts >= flight.options.limits().maxAttempts()) {
      flight.tally(Tally.ATTEMPTS_EXCEEDED, entry);
      endings.fail(entry, "workers died while they were handed it alone: " + detail);
    } else {
      postpone(entry, uncertain(entry.losses - 1));
      marks.takeBack(entry);
    }
  }

  /// One more, as far as that matters.
  private static short more(short count) {
    return (short) Math.min(count + 1, 1_000);
  }

  private static long uncertain(int times) {
    return Math.min(UNCERTAIN_MAX_MS, UNCERTAIN_MIN_MS << Math.min(times, 10));
  }

  /// Makes it pending again, but not runnable for a while. A worker may have got it.
  private void postpone(Entry entry, long longest) {
    entry.mayHaveRun = true;
    flight.turn(entry, Status.PENDING);
    flight.timers.set(entry, flight.now + longest / 2 + flight.random.nextLong(longest / 2 + 1));
  }
}
