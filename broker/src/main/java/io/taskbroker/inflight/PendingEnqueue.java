package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.ScheduleStep;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.EnqueueOutcome;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Enqueue command that is not answered yet: tasks that are not admitted, and tasks whose inserts
/// are not durable. Owner of the inserts of parked rows, and of a barrier. Not thread-safe.
final class PendingEnqueue {
  private final Command.Enqueue command;
  private final EnqueueOutcome[] outcomes;
  private final List<Integer> duplicates = new ArrayList<>();

  /// The next task to admit.
  int next;

  private int awaited = 1;
  private boolean failed;

  PendingEnqueue(Command.Enqueue command) {
    this.command = command;
    this.outcomes = new EnqueueOutcome[command.activations().size()];
    Arrays.fill(outcomes, EnqueueOutcome.ACCEPTED);
  }

  boolean hasNext() {
    return next < outcomes.length;
  }

  Activation activation(int index) {
    return command.activations().get(index);
  }

  /// Step of the schedule that enqueues the next task; null if a client does.
  @Nullable ScheduleStep step() {
    return command.steps().isEmpty() ? null : command.steps().get(next);
  }

  /// Sets the outcome of a task that is not accepted.
  void refused(int index, EnqueueOutcome why) {
    outcomes[index] = why;
  }

  /// Records a task whose id is known: it exists once everything written before is durable.
  void duplicate(int index) {
    outcomes[index] = EnqueueOutcome.ALREADY_EXISTS;
    duplicates.add(index);
  }

  /// The recorded duplicates; a view.
  List<Integer> duplicates() {
    return Collections.unmodifiableList(duplicates);
  }

  /// Waits for one more insert or barrier.
  void await() {
    awaited++;
  }

  /// Handles the end of one that was waited for, and of the admission. Replies after the last.
  void settle() {
    if (--awaited == 0 && !failed) {
      command.reply().done(List.of(outcomes));
    }
  }

  /// Handles a task that the store refuses.
  void refused(String id, EnqueueOutcome why) {
    for (int i = 0; i < outcomes.length; i++) {
      if (outcomes[i] == EnqueueOutcome.ACCEPTED && activation(i).id().equals(id)) {
        outcomes[i] = why;
      }
    }
    settle();
  }

  /// Answers, once, that nothing is known about any of the tasks.
  void unavailable(String why) {
    if (!failed) {
      failed = true;
      command.unavailable(why);
    }
  }
}
