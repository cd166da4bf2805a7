package io.taskbroker.inflight;

import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.TaskState.Step;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.inflight.api.TaskLifecycle;

/// Recovery of rows found in the store: continues from where a previous process or another broker
/// left them (H9, H16), and makes durable tasks runnable. Not thread-safe.
final class Recovery {
  private final EngineState state;
  private final TaskCompletion completion;
  private final OffsetCommitGate offsetGate;
  private final RuleEnforcer ruleEnforcer;

  Recovery(
      EngineState state,
      TaskCompletion completion,
      OffsetCommitGate offsetGate,
      RuleEnforcer ruleEnforcer) {
    this.state = state;
    this.completion = completion;
    this.offsetGate = offsetGate;
    this.ruleEnforcer = ruleEnforcer;
  }

  /// Creates the task of a row that is not in flight yet.
  InFlightTask taskOf(Row row) {
    ApplicationQueue queue = state.queueOf(row.activation().application());
    InFlightTask task =
        new InFlightTask(row.key(), row.activation(), TaskState.restored(row.status()), queue);
    task.attempts = row.attempts();
    task.committed = row.committed();
    task.deadlineExtended = row.deadlineExtended();
    task.deadline = Math.max(row.processingDeadline(), row.claimExpiresAt());
    // A row without a deadline: its worker has a stream, which broke with the previous owner.
    task.workerLost = row.status() == Status.PROCESSING && row.processingDeadline() == Row.NONE;
    // No status needs writing, even if the partition is lost before the task is resumed.
    task.statusWritten = row.status() == Status.PROCESSING;
    task.storedAt = row.addedAt();
    task.destination = row.forwardTo();
    return task;
  }

  /// Continues with a row from where the previous owner left it.
  ///
  /// @param inOrder whether no worker has what is pending
  void resume(InFlightTask task, boolean inOrder) {
    if (!ruleEnforcer.admits(task)) {
      return;
    }
    switch (task.status()) {
      case PENDING -> resumePending(task, inOrder);
      case DELAY -> resumeDelayed(task, inOrder);
      case CLAIMED, PROCESSING -> resumeHandedOut(task, inOrder);
      case FAILURE -> {
        if (task.destination != null) {
          state.transition(task, TaskEvent.FORWARD_FAILURE);
          completion.produce(task);
        } else {
          completion.fail(task, "it had failed before the restart");
        }
      }
      case RETRY -> {
        if (task.destination != null) {
          state.transition(task, TaskEvent.FORWARD_RETRY);
          completion.produce(task);
        } else {
          completion.retry(task, -1, -1);
        }
      }
      case COMPLETE -> completion.remove(task, false);
    }
  }

  /// A delay that has ended may have ended before the restart; the row does not say so, since that
  /// is not written. A delay that has not ended may have ended by the clock of the previous
  /// process, and the clock was set back since: a report of it takes effect, too (G2).
  private void resumeDelayed(InFlightTask task, boolean inOrder) {
    if (state.isEarly(task.activation)) {
      task.mayHaveRun = !task.activation.atMostOnce();
      stored(task);
    } else {
      delayEnded(task);
      resumePending(task, inOrder);
    }
  }

  /// A worker may have it, since status updates are lazy: it waits a moment, so that a report that
  /// is being sent arrives first, and every report of it takes effect (G2). The row of an
  /// at-most-once task says if a worker has it.
  private void resumePending(InFlightTask task, boolean inOrder) {
    task.mayHaveRun = !task.activation.atMostOnce();
    if (task.attempts > 0 && task.attempts >= state.options.limits().maxAttempts()) {
      // A reference broker leaves such rows: it counts in one step and acts on the count in
      // another.
      completion.fail(task, task.attempts + " processing deadlines passed");
    } else if (inOrder || task.activation.atMostOnce()) {
      stored(task);
    } else {
      state.timers.set(task, state.now + state.options.periods().settle());
    }
  }

  /// Continues with a row that was parked when this process started: the previous process may have
  /// unparked and delivered it, which the row does not say.
  void resumeParked(InFlightTask task) {
    if (task.status() == Status.DELAY && !state.isEarly(task.activation)) {
      delayEnded(task);
    }
    task.mayHaveRun = !task.activation.atMostOnce();
    if (task.mayHaveRun && task.status() == Status.PENDING && state.settlesAt() > state.now) {
      state.timers.set(task, state.settlesAt());
    } else {
      stored(task);
    }
  }

  private void delayEnded(InFlightTask task) {
    state.event(EngineEvent.DELAY_ELAPSED, task, "");
    state.follow(TaskLifecycle.DELAY_ENDED, task.activation, "");
    state.transition(task, TaskEvent.DELAY_ENDED);
  }

  /// A worker has it, or had: it keeps its deadline, extended once so that reports arrive first
  /// (H16). One that has it from a stream names it, or is lost. A claim without a confirmed
  /// delivery is requeued, unless the task is at most once (H9).
  private void resumeHandedOut(InFlightTask task, boolean inOrder) {
    task.mayHaveRun = true;
    if (task.workerLost) {
      task.deadline = state.workersBackBy();
      state.timers.set(task, task.deadline);
      return;
    }
    if (task.status() == Status.CLAIMED && !task.activation.atMostOnce()) {
      state.transition(task, TaskEvent.REQUEUE);
      resumePending(task, inOrder);
      return;
    }
    long deadline = task.deadline;
    if (deadline <= 0) {
      deadline =
          state.wall + task.activation.deadlineSeconds() * 1000L + state.options.periods().grace();
    }
    long earliest = state.wall + state.options.periods().restartGrace();
    boolean extend = deadline < earliest && !task.deadlineExtended;
    if (extend) {
      deadline = earliest;
      task.deadlineExtended = true;
    }
    task.statusWritten = true;
    task.statusWrittenAt = state.now;
    task.deadline = state.monotonicTime(deadline);
    state.timers.set(task, task.deadline);
    if (extend) {
      if (task.status() == Status.CLAIMED) {
        state.transition(task, TaskEvent.START);
      }
      state.writeFor(task, task.statusUpdate(Row.NONE, deadline));
    }
  }

  /// Handles a durable insert.
  void inserted(InFlightTask task) {
    PendingEnqueue enqueued = task.enqueued;
    if (enqueued != null) {
      task.enqueued = null;
      enqueued.settle();
    }
    if (task.step() == Step.INSERTING) {
      state.transition(task, TaskEvent.INSERTED);
      state.settle(task);
      stored(task);
    } else {
      completion.produce(task);
    }
  }

  /// Makes a durable task runnable: now, when its delay ends, or when its offset is committed.
  void stored(InFlightTask task) {
    boolean unproven = state.awaitsOffsetCommit(task);
    if (unproven) {
      offsetGate.await(task);
    }
    if (task.step() != Step.STORED) {
      return;
    }
    if (task.status() == Status.DELAY) {
      state.timers.set(task, state.monotonicTime(task.activation.delayUntil()));
    } else if (offsetGate.mayHaveRun(task)) {
      completion.fail(
          task, "its record is read again after the store was rolled back; it may have run");
    } else if (task.status() == Status.PENDING && !unproven) {
      runnable(task);
    }
  }

  /// Enqueues a task that nothing keeps from running.
  void runnable(InFlightTask task) {
    if (state.options.pushes() && !task.queue.isRoutable()) {
      state.event(EngineEvent.NO_WORKER, task.queue, task.activation.taskname());
    }
    completion.makeReady(task, false);
  }
}
