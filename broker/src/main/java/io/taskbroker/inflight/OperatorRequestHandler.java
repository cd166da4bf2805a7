package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.Ids;
import io.taskbroker.activation.Row;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.inflight.api.OperatorRequest;
import io.taskbroker.inflight.api.OperatorRequest.Act;
import io.taskbroker.inflight.api.OperatorRequest.Act.Kind;
import io.taskbroker.inflight.api.OperatorRequest.Outcome;
import io.taskbroker.inflight.api.OperatorRequest.Target;
import io.taskbroker.inflight.api.Pauses;
import io.taskbroker.inflight.api.TaskEnd;
import io.taskbroker.inflight.api.TaskSnapshot;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Handler of operators' requests. An act uses the same transitions and changes as everything else,
/// and is answered when they are durable. Parked rows that must be in memory for an act are read a
/// few at a time (G7). Not thread-safe.
final class OperatorRequestHandler {
  /// Parked rows that are read at a time.
  private static final int PAGE = 16;

  private final EngineState state;
  private final TaskActs acts;
  private final TaskCompletion completion;
  private final ParkedLoader parkedLoader;

  OperatorRequestHandler(
      EngineState state, TaskActs acts, TaskCompletion completion, ParkedLoader parkedLoader) {
    this.state = state;
    this.acts = acts;
    this.completion = completion;
    this.parkedLoader = parkedLoader;
  }

  /// An act in progress: its parked targets are read page by page.
  static final class Pending {
    private final Act act;
    private final List<Outcome> outcomes = new ArrayList<>();
    private final ArrayDeque<Target> parked = new ArrayDeque<>();
    private List<Target> page = List.of();

    private Pending(Act act) {
      this.act = act;
    }
  }

  void handle(OperatorRequest request) {
    switch (request) {
      case OperatorRequest.Applications asked ->
          asked.reply().accept(OperatorViews.applications(state, asked.limit()));
      case OperatorRequest.Workers asked ->
          asked.reply().accept(OperatorViews.workers(state, asked.limit()));
      case OperatorRequest.Inspect asked ->
          asked
              .reply()
              .accept(
                  asked.ids().stream()
                      .map(id -> OperatorViews.task(state, id))
                      .filter(Objects::nonNull)
                      .toList());
      case Act act -> begin(act);
      case OperatorRequest.ChangePauses change -> {
        pause(change.pauses());
        change.done().run();
      }
    }
  }

  private void begin(Act act) {
    var pending = new Pending(act);
    for (Target target : act.targets()) {
      InFlightTask task = state.tasks.get(target.id());
      if (task != null && task.key == target.key()) {
        pending.outcomes.add(act(task, act));
      } else if (isParked(target)) {
        parked(target, pending);
      } else {
        pending.outcomes.add(
            new Outcome(target.id(), false, "not in flight here any more, or at another broker"));
      }
    }
    proceed(pending);
  }

  private Outcome act(InFlightTask task, Act act) {
    return state.hasRoom() || act.dryRun() ? acts.act(task, act) : behind(task.id());
  }

  private boolean isParked(Target target) {
    return state.parked.find(Ids.fingerprint(target.id()), target.key()) != null;
  }

  private static boolean removes(Kind kind) {
    return kind == Kind.CANCEL || kind == Kind.DISCARD;
  }

  private void parked(Target target, Pending pending) {
    Kind kind = pending.act.kind();
    if (kind == Kind.RETRY) {
      pending.outcomes.add(
          new Outcome(target.id(), false, "it is on disk and no worker has it; use run_now"));
    } else if (pending.act.dryRun()) {
      pending.outcomes.add(new Outcome(target.id(), true, TaskSnapshot.PARKED));
    } else {
      pending.parked.add(target);
    }
  }

  /// Reads the next parked rows, or answers when everything is durable.
  private void proceed(Pending pending) {
    if (pending.parked.isEmpty()) {
      if (pending.act.dryRun()) {
        pending.act.reply().accept(pending.outcomes);
      } else {
        state.store.barrier(pending);
      }
      return;
    }
    List<Target> page = new ArrayList<>();
    while (page.size() < PAGE && !pending.parked.isEmpty()) {
      page.add(pending.parked.removeFirst());
    }
    pending.page = page;
    state.queriesSent(1);
    state.store.readRows(page.stream().map(Target::key).toList(), pending);
  }

  /// Acts on the rows that were read, as far as they are still parked.
  void rowsRead(Pending pending, List<Row> rows) {
    state.queriesAnswered(1);
    Map<Long, Row> read = new HashMap<>();
    rows.forEach(row -> read.put(row.key(), row));
    for (Target target : pending.page) {
      pending.outcomes.add(act(target, read.get(target.key()), pending.act));
    }
    proceed(pending);
  }

  /// @param row null if there is none any more
  private Outcome act(Target target, @Nullable Row row, Act act) {
    if (isParked(target)) {
      if (removes(act.kind())) {
        return removeParked(target, row);
      }
      Outcome outcome =
          row != null && act.kind() == Kind.PRIORITY ? park(row, act.priority()) : null;
      if (outcome != null) {
        return outcome;
      }
      if (row == null || !state.memory.hasRoom()) {
        return new Outcome(
            target.id(),
            false,
            "it is on disk, or being stored, and has no room in memory; try again");
      }
      parkedLoader.unpark(row);
    }
    InFlightTask task = state.tasks.get(target.id());
    return task != null && task.key == target.key()
        ? act(task, act)
        : new Outcome(target.id(), false, "it ended, or moved to another broker");
  }

  /// @param row null if it is not stored yet
  private Outcome removeParked(Target target, @Nullable Row row) {
    if (!state.hasRoom()) {
      return behind(target.id());
    }
    InFlightTask removed = row == null ? null : completion.cancelParked(row);
    if (removed == null) {
      Ids.Fingerprint id = Ids.fingerprint(target.id());
      PartitionKey partition = Objects.requireNonNull(state.parked.find(id, target.key()));
      removed = completion.removeParked(id, partition, target.id(), TaskEnd.CANCELLED);
    }
    state.event(EngineEvent.DISCARDED, removed, TaskActs.BY_OPERATOR);
    return new Outcome(target.id(), true, TaskSnapshot.PARKED);
  }

  private static Outcome behind(String id) {
    return new Outcome(id, false, "the store is behind; try again");
  }

  /// Changes the priority of a row that stays parked. Null if rows of its application are being
  /// read: the row may be among them, as it was.
  private @Nullable Outcome park(Row row, int priority) {
    Activation activation = row.activation();
    ApplicationQueue queue = state.queueOf(activation.application());
    if (queue.backlog.isReading()) {
      return null;
    }
    if (!state.hasRoom()) {
      return behind(activation.id());
    }
    if (priority != activation.priority()) {
      long until = queue.backlog.park(priority, row.key(), row.parkedUntil());
      state.queues.schedule(queue);
      state.write(
          new Change.ChangePriority(
              row.key(), activation.id(), activation.origin(), priority, until, null));
    }
    return new Outcome(activation.id(), true, TaskSnapshot.PARKED);
  }

  /// Everything that an act decided is durable.
  void durable(Pending pending) {
    pending.act.reply().accept(pending.outcomes);
  }

  private void pause(Pauses pauses) {
    state.pauses = pauses;
    for (InFlightTask task : state.tasks.values()) {
      if (task.readyQueue != null && pauses.hold(task.activation)) {
        state.detach(task);
        state.hold(task);
      }
    }
    for (InFlightTask task : List.copyOf(state.held)) {
      if (!pauses.hold(task.activation)) {
        state.detach(task);
        completion.makeReady(task, false);
      }
    }
  }
}
