package io.taskbroker.inflight;

import io.taskbroker.activation.Row;
import io.taskbroker.inflight.TaskState.Step;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Retries of quarantined tasks, by the schedule or by an operator's request, so that no restart is
/// needed after a topic is repaired (H19). The payload is read from the store. Not thread-safe.
final class QuarantineRetries {
  private final EngineState state;
  private final TaskCompletion completion;
  private final Recovery recovery;

  QuarantineRetries(EngineState state, TaskCompletion completion, Recovery recovery) {
    this.state = state;
    this.completion = completion;
    this.recovery = recovery;
  }

  /// Reads the rows of the tasks that are due.
  void begin() {
    InFlightTask due = nextDue();
    while (due != null) {
      state.queriesSent(1);
      state.store.readRows(List.of(due.key), due);
      due = nextDue();
    }
  }

  private @Nullable InFlightTask nextDue() {
    return state.hasRoom() ? state.quarantined.due(state.now) : null;
  }

  /// Produces the row again, unless the task has ended or is being released.
  ///
  /// @param rows its row; empty if the store has none, or if it belongs to another broker
  void wasRead(InFlightTask kept, List<Row> rows) {
    state.queriesAnswered(1);
    @Nullable Row row = rows.isEmpty() ? null : rows.getFirst();
    if (row == null || !isStill(kept) || row.forwardTo() == null) {
      // The row may belong to another broker; this one is informed of that soon.
      state.quarantined.ended(kept, state.now, !isStill(kept));
      return;
    }
    InFlightTask again = recovery.taskOf(row);
    state.memory.vacate(kept);
    state.add(again);
    state.transition(
        again,
        again.state() == TaskState.RETRYABLE ? TaskEvent.FORWARD_RETRY : TaskEvent.FORWARD_FAILURE);
    state.quarantined.retrying(kept, again);
    completion.produce(again);
  }

  /// Monotonic time of the next retry; [Long#MAX_VALUE] if never.
  long next() {
    return state.hasRoom() ? state.quarantined.next() : Long.MAX_VALUE;
  }

  private boolean isStill(InFlightTask kept) {
    return kept.step() == Step.QUARANTINED
        && !kept.releasing
        && kept.equals(state.tasks.get(kept.id()));
  }
}
