package io.taskbroker.inflight;

import io.taskbroker.Documents;
import org.junit.jupiter.api.Test;

/// `docs/task-states.md` shows the table of [TaskTransitions].
final class TaskStateDocumentTest {
  @Test
  void theDocumentShowsTheTable() {
    Documents.check("task-states.md", document());
  }

  private static String document() {
    var text = new StringBuilder();
    text.append(
        """
        # States of a task

        Generated from `TaskTransitions`, by which the engine decides; `TaskStateDocumentTest` compares
        them. A state is the status of the task's row and the pending step with the store or the outbox.
        Not drawn: every state but `DELETING` and `GONE` goes to `DELETING` by `COMPLETE`, and every state
        but `GONE` goes to `GONE` by `EVICT` (the row now belongs to another broker).

        The `WaitingReason` of a task says why it does not run now. The dispatcher and the reason ask the
        same `DeliveryGate` what holds back the broker, the application or the task.

        ```mermaid
        stateDiagram-v2
          [*] --> INSERTING : arrives
          [*] --> INSERTING_DELAYED : arrives with a delay
          [*] --> FORWARDING_FAILURE : arrives expired, undecodable or demoted
        """);
    for (TaskState state : TaskState.values()) {
      for (var entry : TaskTransitions.of(state).entrySet()) {
        if (entry.getKey() != TaskEvent.COMPLETE && entry.getKey() != TaskEvent.EVICT) {
          text.append("  %s --> %s : %s%n".formatted(state, entry.getValue(), entry.getKey()));
        }
      }
    }
    text.append(
        """
          DELETING --> [*] : row deleted
        ```

        | state | status of the row | step | events |
        |---|---|---|---|
        """);
    for (TaskState state : TaskState.values()) {
      text.append(
          "| `%s` | `%s` | `%s` | %s |%n"
              .formatted(
                  state,
                  state.status.storedName(),
                  state.step,
                  String.join(
                      ", ",
                      TaskTransitions.of(state).keySet().stream()
                          .map(event -> "`" + event + "`")
                          .toList())));
    }
    return text.toString();
  }
}
