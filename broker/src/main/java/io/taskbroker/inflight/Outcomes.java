package io.taskbroker.inflight;

import io.taskbroker.activation.Status;

/// What follows from how a push call ended: for the activation, which may have reached its worker
/// (H9), and for the lane, whose worker may not be there, or be refusing this activation only
/// (H24). Not thread-safe.
final class Outcomes {
  /// After how many refusals, with as many of its neighbours taken meanwhile, an activation has
  /// failed (H24).
  private static final int MAX_REFUSALS = 10;

  private static final long REFUSED_MIN_MS = 100;
  private static final long REFUSED_MAX_MS = 2_000;

  private final Flight flight;
  private final Endings endings;
  private final TimeLimits limits;

  Outcomes(Flight flight, Endings endings, TimeLimits limits) {
    this.flight = flight;
    this.endings = endings;
    this.limits = limits;
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
      flight.tallyUnlessRepeated(Tally.PUSHED, entry);
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
        flight.notice(lane, Notice.WORKER_UNREACHABLE, detail);
      }
    }
  }

  private void follow(Entry entry, PushOutcome outcome, String detail) {
    boolean once = entry.activation.atMostOnce();
    switch (outcome) {
      case ACCEPTED -> {
        flight.turn(entry, Status.PROCESSING);
        limits.started(entry);
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

  /// Makes it pending again, but not runnable for a while. A worker may have got it.
  private void postpone(Entry entry, long longest) {
    entry.mayHaveRun = true;
    flight.turn(entry, Status.PENDING);
    flight.timers.set(entry, flight.now + longest / 2 + flight.random.nextLong(longest / 2 + 1));
  }
}
