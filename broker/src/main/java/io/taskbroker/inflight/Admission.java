package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.Destination;
import io.taskbroker.activation.Ids;
import io.taskbroker.activation.Ids.Fingerprint;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.RejectedInsert;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.ScheduleStep;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.InFlightPartition.Batch;
import io.taskbroker.inflight.TaskState.Step;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.inflight.api.EngineOptions;
import io.taskbroker.inflight.api.EnqueueOutcome;
import io.taskbroker.inflight.api.Rules;
import io.taskbroker.inflight.api.TaskLifecycle;
import org.jspecify.annotations.Nullable;

/// Admission of one arriving task: drops it by a killswitch or as a duplicate (H4, H8),
/// dead-letters it as undecodable, ends it as expired (W28), forwards it by a demotion (H22),
/// stores it, parks it, or lets it wait (G7, H13). Not thread-safe.
///
/// An accepted task is written at once, so that the watermark that [Arrivals] writes behind it
/// never claims more than is on disk (G1).
final class Admission {
  private final EngineState state;
  private final TaskCompletion completion;
  private final Backpressure backpressure;

  Admission(EngineState state, TaskCompletion completion, Backpressure backpressure) {
    this.state = state;
    this.completion = completion;
    this.backpressure = backpressure;
  }

  /// Admits one record. Returns false if it must wait.
  boolean admit(InFlightPartition partition, Batch batch, Command.IngestedRecord arrival) {
    Activation activation = arrival.activation();
    String reason = arrival.undecodable();
    Rules.Decision decision =
        reason == null ? batch.decision(state.rules, activation) : Rules.Decision.Kept.AS_IT_IS;
    if (decision instanceof Rules.Decision.Killed(boolean bySelector)) {
      // Before all else, so that it never holds back its partition (W28).
      state.event(
          bySelector ? EngineEvent.KILLED_BY_SELECTOR : EngineEvent.KILLED_BY_NAME, activation, "");
      return true;
    }
    InFlightTask other = state.tasks.get(activation.id());
    if (other != null) {
      return acceptSameId(other, activation);
    }
    if (isParkedOrRemembered(activation)) {
      state.event(EngineEvent.DUPLICATE, activation, activation.origin().topic());
      return true;
    }
    if (reason != null) {
      return acceptUndecodable(activation, reason);
    }
    if (state.isExpired(activation)) {
      return acceptExpired(activation);
    }
    if (decision instanceof Rules.Decision.Demoted(Destination destination)) {
      return acceptDemoted(activation, destination);
    }
    boolean accepted = acceptRunnable(partition, activation, null);
    if (accepted && decision == Rules.Decision.Kept.WOULD_COME_BACK) {
      state.event(
          EngineEvent.DEMOTION_SKIPPED, activation, EngineState.namespaceAndTask(activation));
    }
    return accepted;
  }

  private boolean acceptUndecodable(Activation message, String reason) {
    String topic = state.options.deadLetterTopic();
    boolean accepted =
        acceptForwarding(
            message, Destination.ofUndecodable(topic, message.origin(), reason, state.wall));
    if (accepted) {
      state.event(EngineEvent.UNDECODABLE, message.id(), reason);
    }
    return accepted;
  }

  private boolean acceptDemoted(Activation activation, Destination destination) {
    boolean accepted = acceptForwarding(activation, destination);
    if (accepted) {
      state.event(EngineEvent.DEMOTED, activation, EngineState.namespaceAndTask(activation));
    }
    return accepted;
  }

  /// Admits one task of an enqueue, or sets why it is refused.
  void enqueue(PendingEnqueue enqueue, int index) {
    Activation activation = enqueue.activation(index);
    if (isKnown(activation)) {
      enqueue.duplicate(index);
      return;
    }
    switch (state.rules.judge(activation)) {
      case Rules.Decision.Killed(boolean bySelector) -> {
        state.event(
            bySelector ? EngineEvent.KILLED_BY_SELECTOR : EngineEvent.KILLED_BY_NAME,
            activation,
            "");
        enqueue.refused(index, EnqueueOutcome.SWITCHED_OFF);
      }
      case Rules.Decision.Demoted(Destination destination) -> {
        if (backpressure.isFull() || !state.memory.hasRoom()) {
          enqueue.refused(index, EnqueueOutcome.FULL);
        } else {
          await(insertForwarding(activation, destination, enqueue), enqueue);
          state.event(EngineEvent.DEMOTED, activation, EngineState.namespaceAndTask(activation));
        }
      }
      case Rules.Decision.Kept _ -> {
        if (state.isExpired(activation)) {
          state.event(EngineEvent.EXPIRED_ON_ARRIVAL, activation, "");
          enqueue.refused(index, EnqueueOutcome.EXPIRED);
        } else if (!acceptRunnable(null, activation, enqueue)) {
          enqueue.refused(index, EnqueueOutcome.FULL);
        }
      }
    }
  }

  private static void await(InFlightTask task, @Nullable PendingEnqueue enqueue) {
    if (enqueue != null) {
      enqueue.await();
      task.enqueued = enqueue;
    }
  }

  /// Whether a task of that id is in flight, parked or remembered.
  boolean isKnown(Activation activation) {
    return state.tasks.containsKey(activation.id()) || isParkedOrRemembered(activation);
  }

  private boolean isParkedOrRemembered(Activation activation) {
    return (state.parked.size() > 0 && state.parked.has(Ids.fingerprint(activation.id())))
        || state.tombstones.has(activation.id(), state.wall);
  }

  /// Admits a record whose id is in flight: a duplicate, unless that task is being forwarded or
  /// deleted (H4).
  private boolean acceptSameId(InFlightTask other, Activation activation) {
    if (!other.isEnding() || other.activation.origin().equals(activation.origin())) {
      state.event(EngineEvent.DUPLICATE, activation, activation.origin().topic());
      return true;
    }
    if (state.isExpired(activation) && !activation.failurePolicy().deadLetters()) {
      return acceptExpired(activation); // nothing to wait for (W28)
    }
    if (other.step() == Step.QUARANTINED) {
      completion.endQuarantine(other, true);
    }
    return false;
  }

  private boolean acceptExpired(Activation activation) {
    if (activation.failurePolicy().deadLetters()) {
      if (!acceptForwarding(activation, state.deadLetter(activation, TaskCompletion.EXPIRED))) {
        return false;
      }
    }
    state.event(EngineEvent.EXPIRED_ON_ARRIVAL, activation, "");
    return true;
  }

  /// Stores a record with a forward (H19).
  private boolean acceptForwarding(Activation activation, Destination destination) {
    if (backpressure.isFull() || !state.memory.hasRoom()) {
      return false;
    }
    insertForwarding(activation, destination, null);
    return true;
  }

  private InFlightTask insertForwarding(
      Activation activation, Destination destination, @Nullable PendingEnqueue enqueue) {
    Row row = Row.arriving(++state.lastKey, activation, Status.FAILURE, state.wall);
    Row forwarded = row.forwardedTo(destination);
    InFlightTask task = forwarding(forwarded);
    state.write(change(forwarded, task, enqueue));
    return task;
  }

  /// Creates the task of a row that is being forwarded.
  private InFlightTask forwarding(Row row) {
    ApplicationQueue queue = state.queueOf(row.activation().application());
    InFlightTask task =
        new InFlightTask(row.key(), row.activation(), TaskState.FORWARDING_FAILURE, queue);
    task.storedAt = row.addedAt();
    task.destination = row.forwardTo();
    state.add(task);
    return task;
  }

  /// @param partition null if it is enqueued: it cannot wait in Kafka, so its surplus is parked
  /// @param enqueue null if it comes from Kafka
  private boolean acceptRunnable(
      @Nullable InFlightPartition partition,
      Activation activation,
      @Nullable PendingEnqueue enqueue) {
    if (backpressure.isFull()) {
      return false;
    }
    ApplicationQueue queue = state.queueOf(activation.application());
    EngineOptions.Limits limits = state.options.limits();
    long now = state.wall;
    if (activation.delayUntil() > now) {
      boolean far = activation.delayUntil() - now > state.options.periods().parkHorizon();
      boolean full = state.delayed >= limits.maxDelayed() || !state.memory.hasRoom(queue);
      if ((far || full) && backpressure.mayPark()) {
        park(queue, activation, Status.DELAY, activation.delayUntil(), enqueue);
        return true;
      }
      if (!full) {
        await(insert(queue, activation, Status.DELAY, enqueue), enqueue);
      }
      return !full;
    }
    if (!backpressure.isFull(queue, activation.priority())) {
      await(insert(queue, activation, Status.PENDING, enqueue), enqueue);
      return true;
    }
    boolean blocks = partition == null || backpressure.blocksNeighbours(partition, queue);
    if (backpressure.mayPark() && blocks) {
      park(queue, activation, Status.PENDING, now, enqueue);
      return true;
    }
    return false;
  }

  /// The change that stores a row: with the step of a schedule if that enqueues it.
  private static Change change(Row row, Object owner, @Nullable PendingEnqueue enqueue) {
    ScheduleStep step = enqueue == null ? null : enqueue.step();
    return step == null ? new Change.Insert(row, owner) : new Change.Fire(row, step, owner);
  }

  private InFlightTask insert(
      ApplicationQueue queue,
      Activation activation,
      Status status,
      @Nullable PendingEnqueue enqueue) {
    InFlightTask task =
        new InFlightTask(++state.lastKey, activation, TaskState.of(status, Step.INSERTING), queue);
    task.storedAt = state.wall;
    task.committed = Row.isCommittedOnArrival(activation);
    state.add(task);
    if (state.follows) {
      state.received(
          status == Status.DELAY ? TaskLifecycle.DELAYED : TaskLifecycle.RECEIVED, activation);
    }
    Row row = Row.arriving(task.key, activation, status, state.wall);
    state.write(change(row, task, enqueue));
    return task;
  }

  private void park(
      ApplicationQueue queue,
      Activation activation,
      Status status,
      long due,
      @Nullable PendingEnqueue enqueue) {
    long key = ++state.lastKey;
    long until = queue.backlog.park(activation.priority(), key, due);
    state.queues.schedule(queue);
    state.parked.put(
        Ids.fingerprint(activation.id()), activation.origin(), key, activation.leavesTombstone());
    Row row = Row.arriving(key, activation, status, state.wall).parkedUntil(until);
    if (state.follows) {
      state.received(TaskLifecycle.PARKED, activation);
    }
    if (enqueue != null) {
      enqueue.await();
      state.write(change(row, enqueue, enqueue));
    } else {
      boolean proven = state.options.shared() || !activation.atMostOnce();
      state.write(new Change.Insert(row, proven ? null : row));
    }
  }

  /// Handles a row that the store cannot hold as an activation and now holds as an undecodable
  /// message (H12). If it was enqueued, its caller is informed instead.
  void replaced(Row row, RejectedInsert refusal) {
    String id = row.activation().id();
    PendingEnqueue enqueue = enqueueOf(refusal.insert().owner());
    Row refused = refusal.insert().row();
    boolean withdrawn = withdraw(refused, refusal.insert().owner());
    if (enqueue != null) {
      enqueue.refused(refused.activation().id(), EnqueueOutcome.UNSTORABLE);
    }
    if (!withdrawn) {
      return;
    }
    if (enqueue != null) {
      state.write(new Change.Delete(row.key(), id, row.activation().origin(), Row.NONE, null));
      state.event(EngineEvent.UNDECODABLE, id, refusal.why());
      return;
    }
    state.event(EngineEvent.UNDECODABLE, id, refusal.why());
    completion.produce(forwarding(row));
  }

  /// Handles the task of a slot that was not stored, and informs its caller.
  void unfired(Change.Fire fire, EnqueueOutcome why) {
    PendingEnqueue enqueue = enqueueOf(fire.owner());
    boolean _ = withdraw(fire.row(), fire.owner());
    if (enqueue != null) {
      enqueue.refused(fire.id(), why);
    }
  }

  private static @Nullable PendingEnqueue enqueueOf(@Nullable Object owner) {
    return switch (owner) {
      case InFlightTask task -> task.enqueued;
      case PendingEnqueue enqueue -> enqueue;
      case null, default -> null;
    };
  }

  /// Removes a task or parked row that was not stored. Returns false if it was completed meanwhile:
  /// then its delete ends it, or the end of what is held of a slot ([UnknownFires]).
  private boolean withdraw(Row row, @Nullable Object owner) {
    if (owner instanceof InFlightTask task) {
      if (task.step() == Step.DELETING) {
        return false;
      }
      state.detach(task);
      state.transition(task, TaskEvent.INSERT_REJECTED);
      state.remove(task);
      return true;
    }
    Fingerprint id = Ids.fingerprint(row.activation().id());
    Origin origin = row.activation().origin();
    if (!state.parked.has(id, origin, row.key())) {
      return false;
    }
    long _ = state.parked.remove(id, origin);
    return true;
  }
}
