package io.taskbroker.inflight;

import io.taskbroker.activation.Status;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.Delivery;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.inflight.api.PushOutcome;
import io.taskbroker.inflight.api.TaskLifecycle;
import java.util.Locale;

/// Handler of the end of push calls: for the activation, which may have reached its worker (H9),
/// and for its application's queue, whose worker may be unreachable, full, misconfigured, or
/// refusing this activation only (H24). Not thread-safe.
///
/// An activation refused for load is delivered again without limit. Other outcomes fail an
/// activation only if accepted neighbours prove that it is the cause.
final class PushOutcomeHandler {
  /// Refusals, and neighbours accepted meanwhile, after which an activation has failed (H24).
  private static final int MAX_REFUSALS = 10;

  /// Accepted neighbours per rejected one that are needed to fail an activation where the worker
  /// may be the cause.
  private static final int TAKEN_PER_REJECTED = 10;

  private static final long REFUSED_MIN_MS = 100;
  private static final long REFUSED_MAX_MS = 2_000;
  private static final long UNCERTAIN_MIN_MS = 1_000;
  private static final long UNCERTAIN_MAX_MS = 60_000;

  private final EngineState state;
  private final TaskCompletion completion;
  private final StatusWriter statusWriter;
  private final Timeouts timeouts;

  PushOutcomeHandler(
      EngineState state, TaskCompletion completion, StatusWriter statusWriter, Timeouts timeouts) {
    this.state = state;
    this.completion = completion;
    this.statusWriter = statusWriter;
    this.timeouts = timeouts;
  }

  void pushed(Command.PushEnded pushed) {
    Delivery delivery = pushed.delivery();
    PushOutcome outcome = pushed.outcome();
    String detail = pushed.detail();
    if (!(delivery.task() instanceof InFlightTask task)) {
      return;
    }
    ApplicationQueue queue = task.queue;
    boolean latest = task.attempt == delivery.number();
    PushChannel push = queue.push;
    if (push == null) {
      throw new IllegalStateException(
          "A call ended for application " + queue.application + ", which has no push channel");
    }
    if (outcome == PushOutcome.ACCEPTED && latest) {
      push.window.accepted(task.claimedAt, state.now);
    }
    boolean alone = push.ended(task);
    task.inCall &= !latest;
    if (!pushed.others() || !isOfOneWorker(task, outcome)) {
      judge(task, push, outcome, detail);
    }
    if (outcome == PushOutcome.ACCEPTED) {
      // The report may have arrived before.
      state.eventUnlessRepeated(EngineEvent.PUSHED, task);
      state.follow(TaskLifecycle.TAKEN, task.activation, "");
      if (state.spans != null && latest) {
        state.spans.taken(task, pushed.worker());
      }
    }
    if (outcome != PushOutcome.ACCEPTED && state.follows) {
      state.follow(TaskLifecycle.NOT_TAKEN, task.activation, outcome + ": " + detail);
    }
    if (task.status() == Status.CLAIMED && latest) {
      apply(task, outcome, detail, alone);
    }
  }

  /// Whether an outcome concerns one worker of several: it proves that no worker has the
  /// activation, or others were accepted meanwhile.
  private static boolean isOfOneWorker(InFlightTask task, PushOutcome outcome) {
    return switch (outcome) {
      case ACCEPTED, REFUSED, REJECTED, UNANSWERED -> false;
      case BUSY, UNREACHABLE -> true;
      case OVERLOADED, LOST -> task.queue.progressAt > task.claimedAt;
    };
  }

  /// Applies the outcome to the push channel and the queue.
  private void judge(InFlightTask task, PushChannel push, PushOutcome outcome, String detail) {
    ApplicationQueue queue = task.queue;
    long sentAt = task.claimedAt;
    switch (outcome) {
      case ACCEPTED -> queue.succeeded(state.now);
      case REFUSED -> {}
      case BUSY, OVERLOADED -> {
        push.window.busy(sentAt, state.now, push.calls());
        push.pauseForLoad(sentAt, state.now, state.random);
        if (outcome == PushOutcome.OVERLOADED && push.isPausedForLong()) {
          state.event(EngineEvent.WORKER_OVERLOADED, queue, detail);
        }
      }
      case REJECTED -> {
        queue.rejected++;
        if (push.rejects(sentAt, task.activation.atMostOnce(), state.now, state.random)) {
          state.event(EngineEvent.WORKER_REJECTS, queue, detail);
        }
      }
      case UNANSWERED -> {
        // If others were accepted meanwhile, the call hangs, not the worker.
        if (queue.progressAt <= sentAt) {
          unreachable(queue, push, sentAt, detail);
        }
      }
      case UNREACHABLE, LOST -> unreachable(queue, push, sentAt, detail);
    }
  }

  private void unreachable(ApplicationQueue queue, PushChannel push, long sentAt, String detail) {
    push.window.failed(state.now);
    push.pause(sentAt, state.now, state.random);
    state.event(EngineEvent.WORKER_UNREACHABLE, queue, detail);
  }

  private void apply(InFlightTask task, PushOutcome outcome, String detail, boolean alone) {
    boolean atMostOnce = task.activation.atMostOnce();
    if (state.spans != null) {
      state.spans.because(task, outcome.name().toLowerCase(Locale.ROOT), detail);
    }
    switch (outcome) {
      case ACCEPTED -> {
        task.failures = null;
        state.transition(task, TaskEvent.START);
        timeouts.started(task);
      }
      case BUSY, UNREACHABLE -> requeue(task);
      case OVERLOADED -> {
        if (!atMostOnce) {
          postpone(task, UNCERTAIN_MIN_MS);
        }
      }
      case REFUSED, REJECTED -> {
        state.event(EngineEvent.PUSH_REFUSED, task.activation, detail);
        if (!atMostOnce) {
          refused(task, outcome, detail);
        }
      }
      case UNANSWERED -> {
        if (!atMostOnce) {
          DeliveryFailures failures = task.failures();
          postpone(task, uncertainPause(failures.unanswered));
          failures.unanswered = increment(failures.unanswered);
        }
      }
      case LOST -> {
        if (!atMostOnce) {
          lost(task, detail, alone);
        }
      }
    }
  }

  private void requeue(InFlightTask task) {
    state.timers.cancel(task);
    state.transition(task, TaskEvent.REQUEUE);
    completion.makeReady(task, true);
  }

  private void refused(InFlightTask task, PushOutcome outcome, String detail) {
    ApplicationQueue queue = task.queue;
    DeliveryFailures failures = task.failures();
    failures.refusals = increment(failures.refusals);
    if (failures.refusals == 1) {
      failures.acceptedAtRefusal = (int) queue.accepted;
      failures.rejectedAtRefusal = (int) queue.rejected;
    }
    if (failures.refusals >= MAX_REFUSALS && isAtFault(queue, failures, outcome)) {
      completion.fail(task, "refused " + failures.refusals + " times: " + detail);
    } else {
      postpone(task, pause(queue, failures));
    }
  }

  /// Maximum pause after a refusal, in milliseconds; longer still if others are accepted meanwhile.
  private static long pause(ApplicationQueue queue, DeliveryFailures failures) {
    if (failures.refusals > MAX_REFUSALS && (int) queue.accepted != failures.acceptedAtRefusal) {
      return uncertainPause(failures.refusals - MAX_REFUSALS);
    }
    return Math.min(REFUSED_MAX_MS, REFUSED_MIN_MS << Math.min(failures.refusals - 1, 10));
  }

  /// Whether the worker accepted others meanwhile; nearly all others, if the worker may be at
  /// fault.
  private static boolean isAtFault(
      ApplicationQueue queue, DeliveryFailures failures, PushOutcome outcome) {
    int accepted = (int) queue.accepted - failures.acceptedAtRefusal;
    int all = (int) queue.rejected - failures.rejectedAtRefusal;
    int rejected = all - (failures.refusals - 1); // of others
    return accepted >= MAX_REFUSALS
        && (outcome == PushOutcome.REFUSED || accepted / TAKEN_PER_REJECTED >= rejected);
  }

  /// Handles a broken connection; the worker may have died, and this activation may have killed it.
  /// The proof is workers that die when called with it alone, while they accept others, or while
  /// there are no others; each such death counts as an attempt (G8).
  private void lost(InFlightTask task, String detail, boolean alone) {
    ApplicationQueue queue = task.queue;
    DeliveryFailures failures = task.failures();
    boolean othersPass = failures.losses > 0 && (int) queue.accepted != failures.acceptedAtLoss;
    failures.losses = increment(failures.losses);
    failures.acceptedAtLoss = (int) queue.accepted;
    if (!alone || !(othersPass || queue.hasNoOther())) {
      postpone(task, uncertainPause(failures.losses - 1));
      return;
    }
    queue.diedAt = state.now;
    task.attempts++;
    state.event(EngineEvent.WORKER_DIED, task.activation, detail);
    if (task.attempts >= state.options.limits().maxAttempts()) {
      state.event(EngineEvent.ATTEMPTS_EXCEEDED, task, "");
      completion.fail(task, "workers died while called with it alone: " + detail);
    } else {
      postpone(task, uncertainPause(failures.losses - 1));
      statusWriter.revert(task);
    }
  }

  /// Incremented counter, capped at 1,000.
  private static short increment(short count) {
    return (short) Math.min(count + 1, 1_000);
  }

  private static long uncertainPause(int times) {
    return Math.min(UNCERTAIN_MAX_MS, UNCERTAIN_MIN_MS << Math.min(times, 10));
  }

  /// Makes it pending again, but not runnable for a while. A worker may have received it.
  private void postpone(InFlightTask task, long longest) {
    task.mayHaveRun = true;
    state.transition(task, TaskEvent.REQUEUE);
    state.timers.set(task, state.now + longest / 2 + state.random.nextLong(longest / 2 + 1));
  }
}
