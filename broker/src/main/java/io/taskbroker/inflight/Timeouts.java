package io.taskbroker.inflight;

import io.taskbroker.activation.Status;

/// How long a worker may have an activation: the lease of its claim, until the worker is known to
/// have it, then its processing deadline; and what becomes of it when that has passed (G3, H9). Not
/// thread-safe.
final class Timeouts {
  private final EngineState state;
  private final TaskCompletion completion;
  private final StatusWriter statusWriter;

  Timeouts(EngineState state, TaskCompletion completion, StatusWriter statusWriter) {
    this.state = state;
    this.completion = completion;
    this.statusWriter = statusWriter;
  }

  /// It is on its way to a worker: its lease runs.
  void claimed(InFlightTask task) {
    task.deadline = state.now + state.options.periods().lease();
    state.timers.set(task, task.deadline);
  }

  /// A worker has it: its processing deadline runs.
  void started(InFlightTask task) {
    task.mayHaveRun = true;
    task.deadline = state.now + processing(task);
    state.timers.set(task, task.deadline);
    statusWriter.writeLater(task);
  }

  /// How long it may be processed, in milliseconds.
  long processing(InFlightTask task) {
    return task.activation.deadlineSeconds() * 1000L + state.options.periods().grace();
  }

  /// A worker that has it let its time pass.
  void overdue(InFlightTask task) {
    if (task.status() == Status.CLAIMED) {
      leasePassed(task);
    } else {
      deadlinePassed(task);
    }
  }

  /// The lease of a claim passed.
  private void leasePassed(InFlightTask task) {
    state.tally(Tally.LEASE_PASSED, task);
    state.effects.notice(Notice.LEASE_PASSED, task.activation, "");
    if (task.activation.atMostOnce()) {
      completion.fail(task, "handed out, but nothing was heard of it");
    } else {
      task.mayHaveRun = true;
      state.transition(task, TaskEvent.REQUEUE);
      completion.makeReady(task, false);
    }
  }

  /// A processing deadline passed.
  private void deadlinePassed(InFlightTask task) {
    state.tally(Tally.DEADLINE_PASSED, task);
    state.effects.notice(Notice.DEADLINE_PASSED, task.activation, "");
    // Not its own fault if its worker has died of another one since.
    if (task.claimedAt > task.queue.diedAt) {
      task.attempts++;
    }
    if (task.activation.atMostOnce()) {
      completion.fail(task, "processing deadline passed");
    } else if (task.attempts >= state.options.limits().maxAttempts()) {
      state.tally(Tally.ATTEMPTS_EXCEEDED, task);
      completion.fail(task, task.attempts + " processing deadlines passed");
    } else {
      state.transition(task, TaskEvent.REQUEUE);
      task.deadlineExtended = false;
      statusWriter.revert(task);
      completion.makeReady(task, false);
    }
  }
}
