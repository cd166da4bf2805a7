package io.taskbroker.inflight;

import io.taskbroker.activation.FinishedTask;
import io.taskbroker.activation.Ids;
import io.taskbroker.activation.Ids.Fingerprint;
import io.taskbroker.activation.Row;
import io.taskbroker.inflight.TaskState.Step;
import io.taskbroker.inflight.api.AttemptToken;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.TaskEnd;
import io.taskbroker.inflight.api.TaskQuery;
import io.taskbroker.inflight.api.TaskQuery.Phase;
import io.taskbroker.inflight.api.TaskQuery.View;
import io.taskbroker.inflight.api.WaitingReason;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Answers to clients that ask about tasks by id, cancel them or wait for their end. Not
/// thread-safe.
final class TaskQueries {
  private final EngineState state;
  private final TaskCompletion completion;

  /// Callers that wait for the end of a task, by its id.
  private final Map<String, List<TaskQuery>> waiting = new HashMap<>();

  /// Cancellations of parked tasks, whose rows are read one by one: they may be large (G7).
  private final ArrayDeque<TaskQuery> parkedCancels = new ArrayDeque<>();

  private boolean reading;

  TaskQueries(EngineState state, TaskCompletion completion) {
    this.state = state;
    this.completion = completion;
  }

  void handle(TaskQuery query) {
    if (state.options.shared()
        && !(query instanceof TaskQuery.Find)
        && state.unknownFires.has(query.id())) {
      state.store.barrier(query); // another broker may have fired the slot and have the task
      return;
    }
    switch (query) {
      case TaskQuery.Find _ -> answer(query, view(query.id()));
      case TaskQuery.Cancel _ -> cancel(query);
      case TaskQuery.Await _ -> await(query);
    }
  }

  private void await(TaskQuery query) {
    InFlightTask task = state.tasks.get(query.id());
    View view = view(query.id());
    if (task != null && isDeadLetter(task)) {
      query.reply().done(ended(task, task.end));
    } else if (view == null
        || (view.phase() == Phase.ENDED && task == null)
        || query.reply().isGone()) { // its [Command.AskNoMore] may have overtaken it
      answer(query, view);
    } else {
      waiting.computeIfAbsent(query.id(), _ -> new ArrayList<>()).add(query);
    }
  }

  /// Answers with a view; that of an ended task with its record, if the store has one. The record
  /// of a task of another broker is all that is known of it here.
  private void answer(TaskQuery query, @Nullable View view) {
    boolean kept =
        view == null
            ? state.options.shared()
            : view.phase() == Phase.ENDED
                && !state.tasks.containsKey(query.id())
                && TaskEnd.isKept(state.tombstones.until(query.id()));
    if (kept) {
      state.queriesSent(1);
      state.store.readFinished(query.id(), new Ended(query, view));
    } else {
      query.reply().done(view);
    }
  }

  /// Query about an ended task.
  ///
  /// @param view what memory says; null if nothing
  private record Ended(TaskQuery query, @Nullable View view) {}

  /// Handles the record of an ended task.
  void wasRead(Command.FinishedRead read) {
    state.queriesAnswered(1);
    if (read.owner() instanceof Ended(TaskQuery query, View view)) {
      FinishedTask found = read.found();
      if (found == null) {
        query.reply().done(view);
      } else {
        TaskEnd end = view == null ? TaskEnd.of(found.outcome()) : view.end();
        query.reply().done(View.ended(end, found.message(), found.result()));
      }
    }
  }

  /// Whether the decision that the task failed is durable.
  private static boolean isDeadLetter(InFlightTask task) {
    return task.end == TaskEnd.FAILED
        && (task.step() == Step.PRODUCING || task.step() == Step.QUARANTINED);
  }

  /// Ends a wait: answers with the present state of the task.
  void forget(TaskQuery query) {
    List<TaskQuery> callers = waiting.get(query.id());
    if (callers != null && callers.remove(query)) {
      if (callers.isEmpty()) {
        waiting.remove(query.id());
      }
      query.reply().done(view(query.id()));
    }
  }

  /// Answers those who wait for the end of a task.
  void ended(InFlightTask task) {
    if (!waiting.isEmpty()) {
      List<TaskQuery> callers = waiting.remove(task.id());
      if (callers != null) {
        View view = ended(task, task.end);
        callers.forEach(query -> query.reply().done(view));
      }
    }
  }

  private void cancel(TaskQuery query) {
    InFlightTask task = state.tasks.get(query.id());
    if (task == null) {
      if (state.parked.has(Ids.fingerprint(query.id()))) {
        parkedCancels.addLast(query);
      } else {
        await(query);
      }
      return;
    }
    switch (phase(task)) {
      case RUNNING -> {
        WorkerStream stream = task.stream;
        if (stream != null && !task.cancelled) { // once: its worker may not read (G7)
          stream.session.cancel(task.id(), state.lastToken(task), true);
        }
        task.cancelled = true;
        query.reply().done(view(query.id()));
      }
      case PENDING, DELAYED -> {
        completion.cancel(task);
        await(query);
      }
      case ENDED -> await(query);
      case FORWARDING, PARKED -> query.reply().done(view(query.id()));
    }
  }

  /// Reads the row of the next parked task to cancel. The row holds how long its id is remembered,
  /// and whether its record is kept.
  void sendQuery() {
    TaskQuery next = reading ? null : parkedCancels.pollFirst();
    if (next == null) {
      return;
    }
    Fingerprint id = Ids.fingerprint(next.id());
    PartitionKey group = state.parked.find(id);
    List<Long> keys = group == null ? List.of() : List.of(state.parked.key(id, group));
    reading = true;
    state.queriesSent(1);
    state.store.readRows(keys, next);
  }

  /// Handles the row that was read for a cancellation: of none if it changed meanwhile, or if it
  /// waits for space in the store.
  void rowRead(TaskQuery query, List<Row> rows) {
    state.queriesAnswered(1);
    reading = false;
    rows.forEach(completion::cancelParked);
    Fingerprint id = Ids.fingerprint(query.id());
    PartitionKey group = state.parked.find(id);
    if (group != null) {
      completion.removeParked(id, group, query.id(), TaskEnd.CANCELLED);
    }
    cancel(query);
  }

  private @Nullable View view(String id) {
    InFlightTask task = state.tasks.get(id);
    if (task != null) {
      Phase phase = phase(task);
      WaitingReason why = WaitingReasons.of(state, task);
      if (phase == Phase.ENDED || why == null) {
        return ended(task, task.end);
      }
      AttemptToken token = phase == Phase.RUNNING ? state.lastToken(task) : null;
      String progress = token == null || task.stream == null ? "" : task.progress;
      return new View(phase, why, task.activation, token, progress);
    }
    WaitingReason why = WaitingReasons.of(state, id);
    if (why != null) {
      return new View(Phase.PARKED, why, null, null, "");
    }
    long until = state.tombstones.until(id);
    return until > state.wall ? View.ended(TaskEnd.of(until)) : null;
  }

  private static View ended(InFlightTask task, TaskEnd end) {
    TaskRecord record = task.record;
    if (record == null) {
      return View.ended(end);
    }
    return end == TaskEnd.COMPLETED
        ? View.ended(end, "", record.result)
        : View.ended(end, record.message, null);
  }

  private static Phase phase(InFlightTask task) {
    if (task.isForwarding()) {
      return Phase.FORWARDING;
    }
    return switch (task.status()) {
      case PENDING -> Phase.PENDING;
      case DELAY -> Phase.DELAYED;
      case CLAIMED, PROCESSING -> Phase.RUNNING;
      case FAILURE, RETRY -> Phase.FORWARDING;
      case COMPLETE -> Phase.ENDED;
    };
  }
}
