package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import io.taskbroker.inflight.TaskState.Step;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.inflight.api.TaskLifecycle;
import java.util.List;

/// Handler of expired timers and of steps of the wall clock (H21). Not thread-safe.
final class TimerHandler {
  private final EngineState state;
  private final TaskCompletion completion;
  private final Recovery recovery;
  private final RemoteReports remoteReports;

  TimerHandler(
      EngineState state,
      TaskCompletion completion,
      Recovery recovery,
      RemoteReports remoteReports) {
    this.state = state;
    this.completion = completion;
    this.recovery = recovery;
    this.remoteReports = remoteReports;
  }

  /// Wakes every task whose time has come.
  void wakeDue() {
    InFlightTask due = state.timers.poll(state.now);
    while (due != null) {
      wake(due);
      due = state.timers.poll(state.now);
    }
  }

  private void wake(InFlightTask task) {
    switch (task.status()) {
      case DELAY -> {
        if (task.activation.delayUntil() > state.wall) {
          state.timers.set(task, state.monotonicTime(task.activation.delayUntil()));
        } else {
          state.event(EngineEvent.DELAY_ELAPSED, task, "");
          state.follow(TaskLifecycle.DELAY_ENDED, task.activation, "");
          state.transition(task, TaskEvent.DELAY_ENDED);
          if (task.step() == Step.STORED && !state.awaitsOffsetCommit(task)) {
            recovery.runnable(task);
          }
        }
      }
      case PENDING -> {
        if (state.isExpired(task.activation)) {
          completion.expire(task);
        } else if (task.readyQueue == null) {
          recovery.runnable(task);
        } else {
          state.timers.set(task, state.monotonicTime(task.activation.expiresAt()));
        }
      }
      case CLAIMED, PROCESSING -> remoteReports.overdue(task);
      case FAILURE, RETRY, COMPLETE -> {}
    }
  }

  /// Recomputes the timers that depend on the wall clock after it stepped, and rewrites the
  /// deadlines on disk, which are wall-clock times (H21).
  void rebase() {
    for (InFlightTask task : List.copyOf(state.tasks.values())) {
      if (task.step() != Step.STORED) {
        continue;
      }
      switch (task.status()) {
        case DELAY -> state.timers.set(task, state.monotonicTime(task.activation.delayUntil()));
        case PENDING -> {
          if ((task.readyQueue != null || state.held.contains(task))
              && task.activation.expiresAt() != Activation.NEVER) {
            state.timers.set(task, state.monotonicTime(task.activation.expiresAt()));
          }
        }
        case PROCESSING -> {
          if (task.statusWritten) {
            state.writeFor(task, task.processingUpdate(state.wallTime(task.deadline)));
          }
        }
        case CLAIMED, FAILURE, RETRY, COMPLETE -> {}
      }
    }
  }
}
