package io.taskbroker.inflight;

import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.TaskState.Step;
import java.util.ArrayDeque;

/// What the store is told of who has an activation. Lazily, because it matters only after a crash:
/// what is still running after the interval is marked, and what may run only once is marked ahead
/// (G3, H9). What is given up is marked so that the next broker lets it run on (H17). Not
/// thread-safe.
final class StatusWriter {
  private final EngineState state;

  /// Entries that workers got lately, in that order: those that are still running when their time
  /// comes are marked.
  private final ArrayDeque<InFlightTask> unmarked = new ArrayDeque<>();

  StatusWriter(EngineState state) {
    this.state = state;
  }

  /// Writes down that a worker is about to have it.
  ///
  /// @param claimExpiresAt wall-clock milliseconds
  /// @param processingDeadline wall-clock milliseconds; [Row#NONE] until the worker has it
  void writeAhead(InFlightTask task, long claimExpiresAt, long processingDeadline) {
    task.statusWritten = true;
    task.statusWrittenAt = state.now;
    state.writeFor(task, task.mark(claimExpiresAt, processingDeadline));
  }

  /// Whether what was written ahead still says enough for a worker to get it.
  boolean isFresh(InFlightTask task) {
    return task.statusWritten && state.now - task.statusWrittenAt < state.options.periods().lease();
  }

  /// A worker has it: to be written down if that lasts.
  void writeLater(InFlightTask task) {
    if (!task.inStatusWriteQueue) {
      forgetDone();
      // A worker that got it while the broker is about to stop leaves no time to wait.
      long interval = state.delivering ? state.options.periods().markInterval() : 0;
      task.statusWriteDue = state.now + interval;
      task.inStatusWriteQueue = true;
      unmarked.addLast(task);
    }
  }

  /// Lets go of those at the head that are done: most are long before their time comes.
  private void forgetDone() {
    InFlightTask first = unmarked.peekFirst();
    while (first != null && (first.step() == Step.DELETING || first.step() == Step.GONE)) {
      unmarked.removeFirst();
      first.inStatusWriteQueue = false;
      first = unmarked.peekFirst();
    }
  }

  /// Writes down what workers have had for the interval, or all that they have.
  void write(boolean all) {
    InFlightTask first = unmarked.peekFirst();
    while (first != null && (all || first.statusWriteDue <= state.now)) {
      unmarked.removeFirst();
      first.inStatusWriteQueue = false;
      if (first.status() == Status.PROCESSING && first.step() == Step.STORED) {
        writeNow(first);
      }
      first = unmarked.peekFirst();
    }
  }

  /// Writes down what the row does not say of an entry that is given up, so that another broker
  /// finds it as it is (H17). Returns false if there is nothing more to say.
  boolean flushDue(InFlightTask task) {
    return switch (task.status()) {
      case CLAIMED -> task.inCall; // what comes of the call is soon known
      case PROCESSING -> {
        boolean told = task.statusWritten && !task.inStatusWriteQueue;
        if (!told) {
          task.inStatusWriteQueue = false;
          writeNow(task);
        }
        yield !told;
      }
      case PENDING -> {
        boolean marked = task.statusWritten;
        resetStatus(task);
        yield marked;
      }
      case DELAY, FAILURE, RETRY, COMPLETE -> false;
    };
  }

  private void writeNow(InFlightTask task) {
    task.statusWritten = true;
    task.statusWrittenAt = state.now;
    state.writeFor(task, task.mark(Row.NONE, state.wallTime(task.deadline)));
  }

  /// Takes back the mark of what no worker has, if it has one.
  void resetStatus(InFlightTask task) {
    if (task.statusWritten && task.status() == Status.PENDING && task.step() == Step.STORED) {
      revert(task);
    }
  }

  /// Writes down that no worker has it any more: it is pending again.
  void revert(InFlightTask task) {
    task.statusWritten = false;
    state.writeFor(task, task.markIdle());
  }

  /// When the next mark is due; [Long#MAX_VALUE] if none is.
  long next() {
    InFlightTask first = unmarked.peekFirst();
    return first == null ? Long.MAX_VALUE : first.statusWriteDue;
  }
}
