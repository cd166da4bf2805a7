package io.taskbroker.inflight;

import io.taskbroker.activation.Row;
import io.taskbroker.inflight.TaskState.Step;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// How entries that Kafka refused are tried again, so that no restart is needed when an operator
/// has mended their topic, or when one asks for it (H19). The payload is read from the store. Not
/// thread-safe.
final class QuarantineRetries {
  private final EngineState state;
  private final TaskCompletion completion;
  private final Recovery recovery;

  QuarantineRetries(EngineState state, TaskCompletion completion, Recovery recovery) {
    this.state = state;
    this.completion = completion;
    this.recovery = recovery;
  }

  /// Reads the entries whose turn it is.
  void begin() {
    InFlightTask due = nextDue();
    while (due != null) {
      state.queriesSent(1);
      state.effects.readRows(List.of(due.key), due);
      due = nextDue();
    }
  }

  private @Nullable InFlightTask nextDue() {
    return state.hasRoom() ? state.quarantined.due(state.now) : null;
  }

  /// Sends what was read to Kafka, unless the entry has ended, or is to leave this broker.
  ///
  /// @param rows its row, or none if the store has none or it is not this broker's
  void wasRead(InFlightTask kept, List<Row> rows) {
    state.queriesAnswered(1);
    @Nullable Row row = rows.isEmpty() ? null : rows.getFirst();
    if (row == null || !isStill(kept) || row.forwardTo() == null) {
      // A row that is not to be had may be another broker's, of which this one is told soon.
      state.quarantined.over(kept, state.now, !isStill(kept));
      return;
    }
    InFlightTask again = recovery.entry(row);
    state.add(again);
    state.transition(
        again,
        again.state() == TaskState.RETRYABLE ? TaskEvent.FORWARD_RETRY : TaskEvent.FORWARD_FAILURE);
    state.quarantined.trying(kept, again);
    completion.produce(again);
  }

  /// When there is something to do; [Long#MAX_VALUE] if never.
  long next() {
    return state.hasRoom() ? state.quarantined.next() : Long.MAX_VALUE;
  }

  private boolean isStill(InFlightTask kept) {
    return kept.step() == Step.QUARANTINED
        && !kept.releasing
        && kept.equals(state.tasks.get(kept.id()));
  }
}
