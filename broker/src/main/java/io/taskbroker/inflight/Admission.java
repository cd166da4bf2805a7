package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.Destination;
import io.taskbroker.activation.Ids;
import io.taskbroker.activation.Ids.Fingerprint;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.RejectedInsert;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.InFlightPartition.Batch;
import io.taskbroker.inflight.TaskState.Step;

/// What becomes of one task that comes to the broker: it is switched off, known already (H4, H8),
/// undecodable, over (W28), demoted (H22), stored, parked, or has to wait (G7, H13). Not
/// thread-safe.
///
/// What is taken in is written at once, so that the watermark that [Arrivals] writes behind it
/// never says more than is on disk (G1).
final class Admission {
  private final EngineState state;
  private final TaskCompletion completion;
  private final Backpressure backpressure;

  Admission(EngineState state, TaskCompletion completion, Backpressure backpressure) {
    this.state = state;
    this.completion = completion;
    this.backpressure = backpressure;
  }

  /// Takes one record in. Returns false if it has to wait.
  boolean admit(InFlightPartition intake, Batch batch, Command.IngestedRecord arrival) {
    Activation activation = arrival.activation();
    String reason = arrival.undecodable();
    Rules.Decision verdict =
        reason == null ? batch.verdict(state.rules, activation) : Rules.Decision.Kept.AS_IT_IS;
    if (verdict instanceof Rules.Decision.Killed(boolean bySelector)) {
      // Before all else, so that it never holds back its partition (W28).
      Notice notice = bySelector ? Notice.KILLED_BY_SELECTOR : Notice.KILLED_BY_NAME;
      state.tally(bySelector ? Tally.KILLED_BY_SELECTOR : Tally.KILLED_BY_NAME, activation);
      state.effects.notice(notice, activation, "");
      return true;
    }
    InFlightTask other = state.tasks.get(activation.id());
    if (other != null) {
      return acceptAgain(other, activation);
    }
    if (isKnown(activation)) {
      state.effects.notice(Notice.DUPLICATE, activation, activation.origin().topic());
      return true;
    }
    if (reason != null) {
      return acceptUndecodable(activation, reason);
    }
    if (state.isExpired(activation)) {
      return acceptExpired(activation);
    }
    if (verdict instanceof Rules.Decision.Demoted(Destination destination)) {
      return acceptDemoted(activation, destination);
    }
    boolean accepted = acceptRunnable(intake, activation);
    if (accepted && verdict == Rules.Decision.Kept.WOULD_COME_BACK) {
      state.tally(Tally.DEMOTION_SKIPPED, activation);
      state.effects.notice(
          Notice.DEMOTION_SKIPPED, activation, Notice.namespaceAndTask(activation));
    }
    return accepted;
  }

  private boolean acceptUndecodable(Activation message, String reason) {
    String topic = state.options.deadLetterTopic();
    boolean accepted =
        acceptForwarding(
            message, Destination.ofUndecodable(topic, message.origin(), reason, state.wall));
    if (accepted) {
      state.effects.notice(Notice.UNDECODABLE, message.id(), reason);
    }
    return accepted;
  }

  private boolean acceptDemoted(Activation activation, Destination destination) {
    boolean accepted = acceptForwarding(activation, destination);
    if (accepted) {
      state.tally(Tally.DEMOTED, activation);
      state.effects.notice(Notice.DEMOTED, activation, Notice.namespaceAndTask(activation));
    }
    return accepted;
  }

  /// Takes in what does not come from Kafka, or refuses it.
  void enqueue(Command.Enqueue enqueue) {
    Activation activation = enqueue.activation();
    if (state.tasks.containsKey(activation.id()) || isKnown(activation)) {
      enqueue.unavailable("activation " + activation.id() + " is in flight, or was lately");
      return;
    }
    ApplicationQueue queue = state.queueOf(activation.application());
    boolean early = state.isEarly(activation);
    if (!state.hasRoomForArrivals()
        || backpressure.isFull()
        || (early
            ? state.delayed >= state.options.limits().maxDelayed()
            : backpressure.isFull(queue))) {
      enqueue.unavailable("no room for activations of application " + queue.application);
      return;
    }
    insert(queue, activation, early ? Status.DELAY : Status.PENDING).enqueued = enqueue.reply();
  }

  private boolean isKnown(Activation activation) {
    return (state.parked.size() > 0 && state.parked.has(Ids.fingerprint(activation.id())))
        || state.tombstones.has(activation.id(), state.wall);
  }

  /// A record whose id is in flight: a duplicate, unless that one is on its way out (H4).
  private boolean acceptAgain(InFlightTask other, Activation activation) {
    if (!other.isGoing() || other.activation.origin().equals(activation.origin())) {
      state.effects.notice(Notice.DUPLICATE, activation, activation.origin().topic());
      return true;
    }
    if (state.isExpired(activation) && !activation.failurePolicy().deadLetters()) {
      return acceptExpired(activation); // there is nothing to wait for (W28)
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
    state.tally(Tally.EXPIRED_ON_ARRIVAL, activation);
    state.effects.notice(Notice.EXPIRED, activation, "");
    return true;
  }

  /// Stores a record that is to leave at once (H19).
  private boolean acceptForwarding(Activation activation, Destination destination) {
    if (backpressure.isFull() || !state.memory.hasRoom()) {
      return false;
    }
    insertForwarding(activation, destination);
    return true;
  }

  private void insertForwarding(Activation activation, Destination destination) {
    Row row = Row.arriving(++state.lastKey, activation, Status.FAILURE, state.wall);
    Row departing = row.forwardedTo(destination);
    state.write(new Change.Insert(departing, forwarding(departing)));
  }

  /// The entry of a row that is on its way out.
  private InFlightTask forwarding(Row row) {
    ApplicationQueue queue = state.queueOf(row.activation().application());
    InFlightTask task =
        new InFlightTask(row.key(), row.activation(), TaskState.FORWARDING_FAILURE, queue);
    task.destination = row.forwardTo();
    state.add(task);
    return task;
  }

  private boolean acceptRunnable(InFlightPartition intake, Activation activation) {
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
        park(queue, activation, Status.DELAY, activation.delayUntil());
        return true;
      }
      if (!full) {
        insert(queue, activation, Status.DELAY);
      }
      return !full;
    }
    if (!backpressure.isFull(queue)) {
      insert(queue, activation, Status.PENDING);
      return true;
    }
    if (backpressure.mayPark() && backpressure.blocksNeighbours(intake, queue)) {
      park(queue, activation, Status.PENDING, now);
      return true;
    }
    return false;
  }

  private InFlightTask insert(ApplicationQueue queue, Activation activation, Status status) {
    InFlightTask task =
        new InFlightTask(++state.lastKey, activation, TaskState.of(status, Step.INSERTING), queue);
    state.add(task);
    if (state.follows) {
      state.received(
          status == Status.DELAY ? TaskLifecycle.DELAYED : TaskLifecycle.RECEIVED, activation);
    }
    Row row = Row.arriving(task.key, activation, status, state.wall);
    state.write(new Change.Insert(row, task));
    return task;
  }

  private void park(ApplicationQueue queue, Activation activation, Status status, long due) {
    long key = ++state.lastKey;
    long until = queue.backlog.park(key, due);
    state.queues.schedule(queue);
    state.parked.put(
        Ids.fingerprint(activation.id()), activation.origin(), key, activation.leavesTombstone());
    Row row = Row.arriving(key, activation, status, state.wall).parkedUntil(until);
    if (state.follows) {
      state.received(TaskLifecycle.PARKED, activation);
    }
    boolean proven = state.options.shared() || !activation.atMostOnce();
    state.write(new Change.Insert(row, proven ? null : row));
  }

  /// The store cannot hold this record as an activation: in its place it holds it as an undecodable
  /// message (H12). Who enqueued it is told instead.
  void replaced(Row row, RejectedInsert refusal) {
    if (!forget(refusal.insert())) {
      return;
    }
    String id = row.activation().id();
    if (refusal.insert().owner() instanceof InFlightTask task && task.enqueued != null) {
      state.write(new Change.Delete(row.key(), id, row.activation().origin(), Row.NONE, null));
      task.enqueued.unavailable("the store cannot hold it: " + refusal.why());
      return;
    }
    state.effects.notice(Notice.UNDECODABLE, id, refusal.why());
    completion.produce(forwarding(row));
  }

  /// Forgets what was not stored. Returns false if it was completed meanwhile: then its delete ends
  /// it.
  private boolean forget(Change.Insert insert) {
    if (insert.owner() instanceof InFlightTask task) {
      if (task.step() == Step.DELETING) {
        return false;
      }
      state.detach(task);
      state.transition(task, TaskEvent.INSERT_REJECTED);
      state.remove(task);
      return true;
    }
    Fingerprint id = Ids.fingerprint(insert.row().activation().id());
    Origin origin = insert.row().activation().origin();
    if (!state.parked.has(id, origin, insert.row().key())) {
      return false;
    }
    long _ = state.parked.remove(id, origin);
    return true;
  }
}
