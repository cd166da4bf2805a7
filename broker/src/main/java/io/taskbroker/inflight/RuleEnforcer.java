package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Ids;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.inflight.api.Rules;
import java.util.ArrayDeque;
import java.util.function.Consumer;

/// Enforcement of the rules on tasks in flight (G5, H22). A task is judged when it enters memory
/// and when the rules change; so no killed task is in a queue, and deliveries need no check of
/// their own. Parked rows are swept in pages, in the background. Not thread-safe.
///
/// A killed task is removed even if a worker has it; a demoted one is forwarded once it is
/// runnable. Rule changes do not affect tasks that are already being forwarded (H7).
final class RuleEnforcer {
  /// Upper bound of the sweep's pages: all rows, however late they are due. No other page has it.
  static final long ALL = Long.MAX_VALUE;

  private static final int PAGE = 256;

  private final EngineState state;
  private final TaskCompletion completion;

  /// Parked rows that are not judged yet; the first are partly judged.
  private final ArrayDeque<Unswept> unswept = new ArrayDeque<>();

  private long cursorDue = Long.MIN_VALUE;
  private long cursorKey = Long.MIN_VALUE;
  private boolean reading;

  /// Whether the pending page was requested before the sweep restarted.
  private boolean stale;

  /// Parked rows of one priority of an application.
  private record Unswept(String application, int priority) {}

  RuleEnforcer(EngineState state, TaskCompletion completion) {
    this.state = state;
    this.completion = completion;
  }

  /// Applies new rules.
  void change(Rules rules) {
    state.rules = rules;
    for (InFlightTask task : state.tasks.values()) {
      if (admits(task)
          && task.demotion != null
          && (task.readyQueue != null || state.held.contains(task))) {
        completion.makeReady(task, false);
      }
    }
    beginSweep();
  }

  /// Judges a task, and removes it if it is killed. Returns whether it stays; a demotion is
  /// recorded in the task, and [TaskCompletion#makeReady] acts on it.
  boolean admits(InFlightTask task) {
    if (task.isEnding() || task.destination != null || task.status() == Status.COMPLETE) {
      return true;
    }
    return switch (state.rules.judge(task.activation)) {
      case Rules.Decision.Kept _ -> {
        task.demotion = null;
        yield true;
      }
      case Rules.Decision.Demoted(var destination) -> {
        task.demotion = destination;
        yield true;
      }
      case Rules.Decision.Killed _ -> {
        state.recorder.failed(task, "switched off by a rule");
        state.event(EngineEvent.SWITCHED_OFF, task, "");
        completion.complete(task);
        yield false;
      }
    };
  }

  /// Starts a sweep of all parked rows.
  void beginSweep() {
    unswept.clear();
    cursorDue = Long.MIN_VALUE;
    cursorKey = Long.MIN_VALUE;
    stale = reading;
    if (state.rules.exist()) {
      for (ApplicationQueue queue : state.queues.all()) {
        for (int priority : queue.backlog.priorities()) {
          unswept.addLast(new Unswept(queue.application, priority));
        }
      }
    }
  }

  /// Requests the next page of the sweep, if there is room for its effects.
  void sweep() {
    Unswept next = unswept.peekFirst();
    if (next != null
        && !reading
        && state.delivering
        && state.hasRoom()
        && state.memory.hasRoom()
        && state.forwarding < Backpressure.MAX_FORWARDING) {
      reading = true;
      state.store.readParked(next.application(), next.priority(), cursorDue, cursorKey, ALL, PAGE);
    }
  }

  /// Judges a page of the sweep.
  ///
  /// @param unpark loads a row into memory
  void swept(Command.ParkedRead page, Consumer<Row> unpark) {
    for (Row row : page.rows()) {
      Activation activation = row.activation();
      if (state.parked.has(Ids.fingerprint(activation.id()), activation.origin(), row.key())) {
        judgeParked(row, unpark);
      }
    }
    reading = false;
    if (stale) {
      stale = false;
    } else if (page.rows().isEmpty() || page.nextDue() == Row.NONE) {
      unswept.pollFirst();
      cursorDue = Long.MIN_VALUE;
      cursorKey = Long.MIN_VALUE;
    } else {
      Row last = page.rows().getLast();
      cursorDue = last.parkedUntil();
      cursorKey = last.key();
    }
  }

  private void judgeParked(Row row, Consumer<Row> unpark) {
    Activation activation = row.activation();
    switch (state.rules.judge(activation)) {
      case Rules.Decision.Kept _ -> {}
      case Rules.Decision.Killed _ -> {
        state.event(EngineEvent.SWITCHED_OFF, activation, "");
        var _ = completion.cancelParked(row);
      }
      case Rules.Decision.Demoted _ -> {
        // Another broker may have an unconfirmed one (H2): that is checked when it is due to run.
        boolean unproven = !state.options.shared() && activation.atMostOnce() && !row.committed();
        if (activation.delayUntil() <= state.wall && !unproven) {
          unpark.accept(row);
        }
      }
    }
  }
}
