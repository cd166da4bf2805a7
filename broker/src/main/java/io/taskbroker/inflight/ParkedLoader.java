package io.taskbroker.inflight;

import io.taskbroker.activation.Ids;
import io.taskbroker.activation.ParkedRow;
import io.taskbroker.activation.Row;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.TaskLifecycle;
import java.util.List;

/// Loader of parked rows: unparks them when memory has room (H13, H15). Not thread-safe.
final class ParkedLoader {
  private final EngineState state;
  private final RuleEnforcer ruleEnforcer;
  private final Recovery recovery;

  ParkedLoader(EngineState state, RuleEnforcer ruleEnforcer, Recovery recovery) {
    this.state = state;
    this.ruleEnforcer = ruleEnforcer;
    this.recovery = recovery;
  }

  /// Registers a parked row that was found in the store.
  void found(ParkedRow row) {
    state.parked.put(Ids.fingerprint(row.id()), row.origin(), row.key(), row.leavesTombstone());
    ApplicationQueue queue = state.queueOf(row.application());
    queue.backlog.found(row.priority(), row.parkedUntil());
    state.queues.schedule(queue);
  }

  /// Requests parked rows for the applications that have room for them.
  void read() {
    for (ApplicationQueue queue : List.copyOf(state.queues.reading)) {
      if (queue.readAt > state.wall || !state.hasRoom() || !state.memory.mayRead()) {
        return;
      }
      if (state.memory.hasRoom(queue)) {
        queue.backlog.read(state, queue.unparkRoom(state.options.limits().maxPending()));
        state.queues.schedule(queue);
      }
    }
  }

  /// Unparks the rows of a page that are still parked: a row that changed since the request is no
  /// longer in the index (H15).
  void wasRead(Command.ParkedRead page) {
    if (page.upTo() == RuleEnforcer.ALL) {
      ruleEnforcer.swept(page, this::unpark);
      return;
    }
    ApplicationQueue queue = state.queueOf(page.application());
    queue.backlog.wasRead(state, page);
    state.queues.schedule(queue);
    for (Row row : page.rows()) {
      var activation = row.activation();
      if (state.parked.has(Ids.fingerprint(activation.id()), activation.origin(), row.key())) {
        unpark(row);
      }
    }
  }

  /// Loads a row into memory.
  void unpark(Row row) {
    long _ = state.parked.remove(Ids.fingerprint(row.activation().id()), row.activation().origin());
    ApplicationQueue queue = state.queueOf(row.activation().application());
    InFlightTask task =
        new InFlightTask(row.key(), row.activation(), TaskState.restored(row.status()), queue);
    task.attempts = row.attempts();
    task.committed = row.committed();
    task.unparked = true;
    task.storedAt = row.addedAt();
    state.follow(TaskLifecycle.READ_BACK, task.activation, "");
    if (state.join(task) && ruleEnforcer.admits(task)) {
      if (state.isInherited(row.key())) {
        recovery.resumeParked(task);
      } else {
        recovery.stored(task);
      }
    }
  }
}
