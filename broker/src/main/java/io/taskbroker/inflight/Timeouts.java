package io.taskbroker.inflight;

import io.taskbroker.activation.Status;
import io.taskbroker.inflight.api.EngineEvent;

/// Limits on how long a worker may have an activation: the lease of the claim until the worker is
/// known to have it, then the processing deadline; and the consequences when one passes (G3, H9).
/// Not thread-safe.
final class Timeouts {
  private final EngineState state;
  private final TaskCompletion completion;
  private final StatusWriter statusWriter;

  Timeouts(EngineState state, TaskCompletion completion, StatusWriter statusWriter) {
    this.state = state;
    this.completion = completion;
    this.statusWriter = statusWriter;
  }

  /// Starts the lease of a task that is being delivered.
  void claimed(InFlightTask task) {
    task.deadline = state.now + state.options.periods().lease();
    state.timers.set(task, task.deadline);
  }

  /// Starts the processing deadline of a task that a worker has.
  void started(InFlightTask task) {
    task.mayHaveRun = true;
    task.deadline = state.now + processing(task);
    state.timers.set(task, task.deadline);
    statusWriter.writeLater(task);
  }

  /// Starts the processing deadline anew, since a worker says that it has the task. A later one
  /// stays: the worker may be that of an earlier delivery (H16).
  ///
  /// @param known whether it is written, or will be, that the worker of a stream has the task
  void extend(InFlightTask task, boolean known) {
    task.deadline = Math.max(task.deadline, state.now + processing(task));
    state.timers.set(task, task.deadline);
    if (!known) {
      statusWriter.writeLater(task);
    }
  }

  /// Handles the loss of the worker that has the task.
  ///
  /// @param until when it runs elsewhere, unless its worker comes back before, monotonic
  ///   milliseconds
  void workerLost(InFlightTask task, long until) {
    task.workerLost = true;
    task.deadline = Math.min(task.deadline, until);
    state.timers.set(task, task.deadline);
  }

  /// Maximum processing time in milliseconds.
  long processing(InFlightTask task) {
    return task.activation.deadlineSeconds() * 1000L + state.options.periods().grace();
  }

  /// Handles a passed lease or processing deadline.
  void overdue(InFlightTask task) {
    if (task.status() == Status.CLAIMED) {
      leasePassed(task);
    } else {
      deadlinePassed(task);
    }
  }

  /// Tells the worker of an attempt that its result would be stale.
  private void superseded(InFlightTask task) {
    WorkerStream stream = task.stream;
    if (stream != null) {
      stream.session.cancel(task.id(), state.lastToken(task), false);
      state.leaveWorker(task);
    }
  }

  private void leasePassed(InFlightTask task) {
    state.event(EngineEvent.LEASE_PASSED, task, "");
    state.because(task, "lease_passed", "");
    if (task.activation.atMostOnce()) {
      completion.fail(task, "its lease passed without a report");
    } else {
      task.mayHaveRun = true;
      state.transition(task, TaskEvent.REQUEUE);
      completion.makeReady(task, false);
    }
  }

  /// Ends the attempt of a task whose worker is gone. It counts as one only if the worker had no
  /// other task that it may have died of.
  private void lost(InFlightTask task) {
    task.workerLost = false;
    state.event(EngineEvent.WORKER_LOST, task, "");
    state.because(task, "worker_lost", "");
    if (task.attempt != 0
        || task.named != null) { // else the broker restarted: no worker died of it
      countLoss(task);
    }
    if (task.activation.atMostOnce()) {
      completion.fail(task, "its worker was lost");
    } else if (task.attempts >= state.options.limits().maxAttempts()) {
      state.event(EngineEvent.ATTEMPTS_EXCEEDED, task, "");
      completion.fail(task, "workers were lost with it " + task.failures().losses + " times");
    } else {
      requeue(task, task.lostAlone);
    }
  }

  private static void countLoss(InFlightTask task) {
    DeliveryFailures failures = task.failures();
    failures.losses = (short) Math.min(failures.losses + 1, Short.MAX_VALUE);
    failures.acceptedAtLoss = (int) task.queue.accepted; // others of before prove nothing
    if (task.lostAlone) {
      task.attempts++;
    }
  }

  /// Requeues a task that a worker has.
  ///
  /// @param changed whether its row changed by more than its status
  void requeue(InFlightTask task, boolean changed) {
    state.transition(task, TaskEvent.REQUEUE);
    if (changed) {
      statusWriter.revert(task);
    } else {
      statusWriter.resetStatus(task);
    }
    completion.makeReady(task, true);
  }

  private void deadlinePassed(InFlightTask task) {
    if (task.workerLost) {
      lost(task);
      return;
    }
    superseded(task);
    state.event(EngineEvent.DEADLINE_PASSED, task, "");
    state.because(task, "deadline_passed", "");
    // It is not at fault if its worker has died of another task since.
    if (task.claimedAt > task.queue.diedAt) {
      task.attempts++;
    }
    if (task.activation.atMostOnce()) {
      completion.fail(task, "processing deadline passed");
    } else if (task.attempts >= state.options.limits().maxAttempts()) {
      state.event(EngineEvent.ATTEMPTS_EXCEEDED, task, "");
      completion.fail(task, task.attempts + " processing deadlines passed");
    } else {
      state.transition(task, TaskEvent.REQUEUE);
      task.deadlineExtended = false;
      statusWriter.revert(task);
      completion.makeReady(task, false);
    }
  }
}
