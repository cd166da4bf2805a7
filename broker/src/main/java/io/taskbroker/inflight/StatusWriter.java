package io.taskbroker.inflight;

import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.TaskState.Step;
import java.util.ArrayDeque;

/// Writer of status updates. They are lazy, because they matter only after a crash: a task that
/// still runs after the interval is written; an at-most-once task is written ahead (G3, H9). A task
/// of a partition that is being released is written so that the next broker lets it run on (H17).
/// Not thread-safe.
final class StatusWriter {
  private final EngineState state;

  /// Tasks that workers received lately, in that order; those that still run when they are due are
  /// written.
  private final ArrayDeque<InFlightTask> unwritten = new ArrayDeque<>();

  StatusWriter(EngineState state) {
    this.state = state;
  }

  /// Writes that a worker is about to receive the task.
  ///
  /// @param claimExpiresAt wall-clock milliseconds
  /// @param processingDeadline wall-clock milliseconds; [Row#NONE] until the worker has it, or if
  ///   it has a stream
  void writeAhead(InFlightTask task, long claimExpiresAt, long processingDeadline) {
    task.statusWritten = true;
    task.statusWrittenAt = state.now;
    state.writeFor(task, task.statusUpdate(claimExpiresAt, processingDeadline));
  }

  /// Whether the status written ahead is recent enough for a worker to receive the task.
  boolean isFresh(InFlightTask task) {
    return task.statusWritten && state.now - task.statusWrittenAt < state.options.periods().lease();
  }

  /// Schedules a status update for a task that a worker has, if it still runs then.
  void writeLater(InFlightTask task) {
    if (!task.inStatusWriteQueue) {
      dropFinished();
      // While the broker stops there is no time to wait.
      long interval = state.delivering ? state.options.periods().statusWriteInterval() : 0;
      task.statusWriteDue = state.now + interval;
      task.inStatusWriteQueue = true;
      unwritten.addLast(task);
    }
  }

  /// Drops finished tasks at the head: most finish long before they are due.
  private void dropFinished() {
    InFlightTask first = unwritten.peekFirst();
    while (first != null && (first.step() == Step.DELETING || first.step() == Step.GONE)) {
      unwritten.removeFirst();
      first.inStatusWriteQueue = false;
      first = unwritten.peekFirst();
    }
  }

  /// Writes the status of tasks that workers have had for the interval, or of all that they have.
  void write(boolean all) {
    InFlightTask first = unwritten.peekFirst();
    while (first != null && (all || first.statusWriteDue <= state.now)) {
      unwritten.removeFirst();
      first.inStatusWriteQueue = false;
      if (first.status() == Status.PROCESSING && first.step() == Step.STORED) {
        writeNow(first);
      }
      first = unwritten.peekFirst();
    }
  }

  /// Writes what the row of a task that is being released does not say, so that another broker
  /// finds it as it is (H17). Returns false if nothing remains to be written.
  boolean flushDue(InFlightTask task) {
    return switch (task.status()) {
      case CLAIMED -> task.inCall; // the call ends soon
      case PROCESSING -> {
        boolean written = task.statusWritten && !task.inStatusWriteQueue;
        if (!written) {
          task.inStatusWriteQueue = false;
          writeNow(task);
        }
        yield !written;
      }
      case PENDING -> {
        boolean written = task.statusWritten;
        resetStatus(task);
        yield written;
      }
      case DELAY, FAILURE, RETRY, COMPLETE -> false;
    };
  }

  private void writeNow(InFlightTask task) {
    task.statusWritten = true;
    task.statusWrittenAt = state.now;
    state.writeFor(task, task.processingUpdate(state.wallTime(task.deadline)));
  }

  /// Resets the written status of a task that no worker has.
  void resetStatus(InFlightTask task) {
    if (task.statusWritten && task.status() == Status.PENDING && task.step() == Step.STORED) {
      revert(task);
    }
  }

  /// Writes that no worker has the task any more: it is pending again.
  void revert(InFlightTask task) {
    task.statusWritten = false;
    state.writeFor(task, task.idleStatusUpdate());
  }

  /// Monotonic time of the next status update; [Long#MAX_VALUE] if there is none.
  long next() {
    InFlightTask first = unwritten.peekFirst();
    return first == null ? Long.MAX_VALUE : first.statusWriteDue;
  }
}
