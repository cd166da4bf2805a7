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
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;

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
    private final Set<Target> done = new HashSet<>();

    private Pending(Act act) {
      this.act = act;
    }
  }

  void handle(OperatorRequest request) {
    switch (request) {
      case OperatorRequest.Applications asked ->
          asked.reply().accept(OperatorViews.applications(state, asked.limit()));
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
    return state.hasRoom() || act.dryRun()
        ? acts.act(task, act)
        : new Outcome(task.id(), false, "the store is behind; try again");
  }

  private boolean isParked(Target target) {
    return state.parked.find(Ids.fingerprint(target.id()), target.key()) != null;
  }

  private void parked(Target target, Pending pending) {
    Kind kind = pending.act.kind();
    if (kind == Kind.RETRY) {
      pending.outcomes.add(
          new Outcome(target.id(), false, "it is on disk and no worker has it; use run_now"));
    } else if (pending.act.dryRun()) {
      pending.outcomes.add(new Outcome(target.id(), true, TaskSnapshot.PARKED));
    } else if (kind == Kind.CANCEL || kind == Kind.DISCARD) {
      pending.outcomes.add(removeParked(target));
    } else {
      pending.parked.add(target);
    }
  }

  private Outcome removeParked(Target target) {
    if (!state.hasRoom()) {
      return new Outcome(target.id(), false, "the store is behind; try again");
    }
    Ids.Fingerprint id = Ids.fingerprint(target.id());
    PartitionKey partition = Objects.requireNonNull(state.parked.find(id, target.key()));
    InFlightTask removed = completion.removeParked(id, partition, target.id(), TaskEnd.CANCELLED);
    state.event(EngineEvent.DISCARDED, removed, TaskActs.BY_OPERATOR);
    return new Outcome(target.id(), true, TaskSnapshot.PARKED);
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

  /// Unparks the rows that were read, and acts on them.
  void rowsRead(Pending pending, List<Row> rows) {
    state.queriesAnswered(1);
    for (Row row : rows) {
      var activation = row.activation();
      if (state.parked.has(Ids.fingerprint(activation.id()), activation.origin(), row.key())) {
        if (pending.act.kind() != Kind.PRIORITY || !park(row, pending)) {
          parkedLoader.unpark(row);
        }
      }
    }
    for (Target target : pending.page) {
      InFlightTask task = state.tasks.get(target.id());
      if (task != null && task.key == target.key()) {
        pending.outcomes.add(act(task, pending.act));
      } else if (!pending.done.remove(target)) {
        pending.outcomes.add(
            new Outcome(target.id(), false, "it ended, or moved to another broker"));
      }
    }
    proceed(pending);
  }

  /// Changes the priority of a row that stays parked. Returns false if rows of its application are
  /// being read: the row may be among them, as it was.
  private boolean park(Row row, Pending pending) {
    Activation activation = row.activation();
    ApplicationQueue queue = state.queueOf(activation.application());
    if (queue.backlog.isReading() || !state.hasRoom()) {
      return false;
    }
    int priority = pending.act.priority();
    if (priority != activation.priority()) {
      long until = queue.backlog.park(priority, row.key(), row.parkedUntil());
      state.queues.schedule(queue);
      state.write(
          new Change.ChangePriority(
              row.key(), activation.id(), activation.origin(), priority, until, null));
    }
    pending.done.add(new Target(activation.id(), row.key()));
    pending.outcomes.add(new Outcome(activation.id(), true, TaskSnapshot.PARKED));
    return true;
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
