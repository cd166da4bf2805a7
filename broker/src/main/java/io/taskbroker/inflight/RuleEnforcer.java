package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Ids;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import java.util.ArrayDeque;
import java.util.function.Consumer;

/// What the rules mean for what is in flight already (G5, H22). What is in memory is judged when
/// the rules change, and when it comes into memory; so nothing that is switched off is in a queue,
/// and the send needs no check of its own. What is parked is swept in pages, in the background. Not
/// thread-safe.
///
/// What is switched off is removed whoever has it; what is demoted leaves when it could run. What
/// is leaving already has been judged by other things, and leaves (H7).
final class RuleEnforcer {
  /// Asks for rows however late they are due: no other page does.
  static final long ALL = Long.MAX_VALUE;

  private static final int PAGE = 256;

  private final EngineState state;
  private final TaskCompletion completion;

  /// The applications whose parked rows are not judged, the first of them in part.
  private final ArrayDeque<String> unswept = new ArrayDeque<>();

  private long cursorDue = Long.MIN_VALUE;
  private long cursorKey = Long.MIN_VALUE;
  private boolean reading;

  /// Whether the page under way was asked for before the sweep began anew.
  private boolean stale;

  RuleEnforcer(EngineState state, TaskCompletion completion) {
    this.state = state;
    this.completion = completion;
  }

  /// Other rules hold from now on.
  void change(Rules rules) {
    state.rules = rules;
    for (InFlightTask task : state.tasks.values()) {
      if (admits(task) && task.demotion != null && task.readyQueue != null) {
        completion.makeReady(task, false);
      }
    }
    beginSweep();
  }

  /// Judges an entry, and removes it if it is switched off. Returns whether it stays; where it is
  /// demoted to is noted, and [TaskCompletion#makeReady] does the rest.
  boolean admits(InFlightTask task) {
    if (task.isGoing() || task.destination != null || task.status() == Status.COMPLETE) {
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
        state.tally(Tally.SWITCHED_OFF, task);
        state.effects.notice(Notice.SWITCHED_OFF, task.activation, "");
        completion.complete(task);
        yield false;
      }
    };
  }

  /// Begins to judge all that is parked.
  void beginSweep() {
    unswept.clear();
    cursorDue = Long.MIN_VALUE;
    cursorKey = Long.MIN_VALUE;
    stale = reading;
    if (state.rules.exist()) {
      for (ApplicationQueue queue : state.queues.all()) {
        if (queue.backlog.holdsAny()) {
          unswept.addLast(queue.application);
        }
      }
    }
  }

  /// Reads the next page of the sweep, if there is room for what may come of it.
  void sweep() {
    String application = unswept.peekFirst();
    if (application != null
        && !reading
        && state.delivering
        && state.hasRoom()
        && state.memory.hasRoom()
        && state.forwarding < Backpressure.MAX_LEAVING) {
      reading = true;
      state.effects.readParked(application, cursorDue, cursorKey, ALL, PAGE);
    }
  }

  /// Judges a page of the sweep.
  ///
  /// @param unpark takes a row into memory
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
        state.tally(Tally.SWITCHED_OFF, activation);
        state.effects.notice(Notice.SWITCHED_OFF, activation, "");
        long _ = state.parked.remove(Ids.fingerprint(activation.id()), activation.origin());
        completion.removeParked(
            PartitionKey.of(activation.origin()),
            row.key(),
            activation.id(),
            activation.leavesTombstone());
      }
      case Rules.Decision.Demoted _ -> {
        // Another broker may have what is unproven (H2): that is found out when it is to run.
        boolean unproven = !state.options.shared() && activation.atMostOnce() && !row.committed();
        if (activation.delayUntil() <= state.wall && !unproven) {
          unpark.accept(row);
        }
      }
    }
  }
}
