package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.Destination;
import io.taskbroker.activation.Ids;
import io.taskbroker.activation.Ids.Fingerprint;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Refusal;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.PartitionIntake.Batch;

/// What becomes of one task that comes to the broker: it is switched off, known already (H4, H8),
/// undecodable, over (W28), demoted (H22), stored, parked, or has to wait (G7, H13). Not
/// thread-safe.
///
/// What is taken in is written at once, so that the watermark that [Arrivals] writes behind it
/// never says more than is on disk (G1).
final class Admission {
  private final Flight flight;
  private final Endings endings;
  private final Bounds bounds;

  Admission(Flight flight, Endings endings, Bounds bounds) {
    this.flight = flight;
    this.endings = endings;
    this.bounds = bounds;
  }

  /// Takes one record in. Returns false if it has to wait.
  boolean admit(PartitionIntake intake, Batch batch, Command.Arrival arrival) {
    Activation activation = arrival.activation();
    String reason = arrival.undecodable();
    Rules.Verdict verdict =
        reason == null ? batch.verdict(flight.rules, activation) : Rules.Verdict.Kept.AS_IT_IS;
    if (verdict instanceof Rules.Verdict.Killed(boolean bySelector)) {
      // Before all else, so that it never holds back its partition (W28).
      Notice notice = bySelector ? Notice.KILLED_BY_SELECTOR : Notice.KILLED_BY_NAME;
      flight.tally(bySelector ? Tally.KILLED_BY_SELECTOR : Tally.KILLED_BY_NAME, activation);
      flight.effects.notice(notice, activation, "");
      return true;
    }
    Entry other = flight.entries.get(activation.id());
    if (other != null) {
      return acceptAgain(other, activation);
    }
    if (isKnown(activation)) {
      flight.effects.notice(Notice.DUPLICATE, activation, activation.origin().topic());
      return true;
    }
    if (reason != null) {
      return acceptUndecodable(activation, reason);
    }
    if (flight.isExpired(activation)) {
      return acceptExpired(activation);
    }
    if (verdict instanceof Rules.Verdict.Demoted(Destination destination)) {
      return acceptDemoted(activation, destination);
    }
    boolean accepted = acceptRunnable(intake, activation);
    if (accepted && verdict == Rules.Verdict.Kept.WOULD_COME_BACK) {
      flight.tally(Tally.DEMOTION_SKIPPED, activation);
      flight.effects.notice(
          Notice.DEMOTION_SKIPPED, activation, Notice.namespaceAndTask(activation));
    }
    return accepted;
  }

  private boolean acceptUndecodable(Activation message, String reason) {
    String topic = flight.options.deadLetterTopic();
    boolean accepted =
        acceptLeaving(
            message, Destination.ofUndecodable(topic, message.origin(), reason, flight.wall));
    if (accepted) {
      flight.effects.notice(Notice.UNDECODABLE, message.id(), reason);
    }
    return accepted;
  }

  private boolean acceptDemoted(Activation activation, Destination destination) {
    boolean accepted = acceptLeaving(activation, destination);
    if (accepted) {
      flight.tally(Tally.DEMOTED, activation);
      flight.effects.notice(Notice.DEMOTED, activation, Notice.namespaceAndTask(activation));
    }
    return accepted;
  }

  /// Takes in what does not come from Kafka, or refuses it.
  void enqueue(Command.Enqueue enqueue) {
    Activation activation = enqueue.activation();
    if (flight.entries.containsKey(activation.id()) || isKnown(activation)) {
      enqueue.unavailable("activation " + activation.id() + " is in flight, or was lately");
      return;
    }
    Lane lane = flight.lane(activation.application());
    boolean early = flight.isEarly(activation);
    if (!flight.hasRoomForArrivals()
        || bounds.isFull()
        || (early ? flight.delayed >= flight.options.limits().maxDelayed() : bounds.isFull(lane))) {
      enqueue.unavailable("no room for activations of application " + lane.application);
      return;
    }
    insert(lane, activation, early ? Status.DELAY : Status.PENDING).enqueued = enqueue.reply();
  }

  private boolean isKnown(Activation activation) {
    return (flight.parked.size() > 0 && flight.parked.has(Ids.fingerprint(activation.id())))
        || flight.tombstones.has(activation.id(), flight.wall);
  }

  /// A record whose id is in flight: a duplicate, unless that one is on its way out (H4).
  private boolean acceptAgain(Entry other, Activation activation) {
    if (!other.isGoing() || other.activation.origin().equals(activation.origin())) {
      flight.effects.notice(Notice.DUPLICATE, activation, activation.origin().topic());
      return true;
    }
    if (flight.isExpired(activation) && !activation.failurePolicy().deadLetters()) {
      return acceptExpired(activation); // there is nothing to wait for (W28)
    }
    if (other.step == Entry.Step.QUARANTINED) {
      endings.endQuarantine(other, true);
    }
    return false;
  }

  private boolean acceptExpired(Activation activation) {
    if (activation.failurePolicy().deadLetters()) {
      if (!acceptLeaving(activation, flight.deadLetter(activation, Endings.EXPIRED))) {
        return false;
      }
    }
    flight.tally(Tally.EXPIRED_ON_ARRIVAL, activation);
    flight.effects.notice(Notice.EXPIRED, activation, "");
    return true;
  }

  /// Stores a record that is to leave at once (H19).
  private boolean acceptLeaving(Activation activation, Destination destination) {
    if (bounds.isFull() || !flight.memory.hasRoom()) {
      return false;
    }
    insertLeaving(activation, destination);
    return true;
  }

  private void insertLeaving(Activation activation, Destination destination) {
    Row row = Row.arriving(++flight.lastKey, activation, Status.FAILURE, flight.wall);
    Row departing = row.leavingFor(destination);
    flight.write(new Change.Insert(departing, leaving(departing)));
  }

  /// The entry of a row that is on its way out.
  private Entry leaving(Row row) {
    Lane lane = flight.lane(row.activation().application());
    Entry entry = new Entry(row.key(), row.activation(), Status.FAILURE, lane);
    entry.step = Entry.Step.LEAVING;
    entry.destination = row.leaving();
    flight.add(entry);
    return entry;
  }

  private boolean acceptRunnable(PartitionIntake intake, Activation activation) {
    if (bounds.isFull()) {
      return false;
    }
    Lane lane = flight.lane(activation.application());
    InflightOptions.Limits limits = flight.options.limits();
    long now = flight.wall;
    if (activation.delayUntil() > now) {
      boolean far = activation.delayUntil() - now > flight.options.periods().parkHorizon();
      boolean full = flight.delayed >= limits.maxDelayed() || !flight.memory.hasRoom(lane);
      if ((far || full) && bounds.mayPark()) {
        park(lane, activation, Status.DELAY, activation.delayUntil());
        return true;
      }
      if (!full) {
        insert(lane, activation, Status.DELAY);
      }
      return !full;
    }
    if (!bounds.isFull(lane)) {
      insert(lane, activation, Status.PENDING);
      return true;
    }
    if (bounds.mayPark() && bounds.holdsUpOthers(intake, lane)) {
      park(lane, activation, Status.PENDING, now);
      return true;
    }
    return false;
  }

  private Entry insert(Lane lane, Activation activation, Status status) {
    Entry entry = new Entry(++flight.lastKey, activation, status, lane);
    flight.add(entry);
    if (flight.follows) {
      flight.received(status == Status.DELAY ? Life.DELAYED : Life.RECEIVED, activation);
    }
    Row row = Row.arriving(entry.key, activation, status, flight.wall);
    flight.write(new Change.Insert(row, entry));
    return entry;
  }

  private void park(Lane lane, Activation activation, Status status, long due) {
    long key = ++flight.lastKey;
    long until = lane.parking.park(key, due);
    flight.lanes.schedule(lane);
    flight.parked.put(
        Ids.fingerprint(activation.id()), activation.origin(), key, activation.leavesTombstone());
    Row row = Row.arriving(key, activation, status, flight.wall).parkedUntil(until);
    if (flight.follows) {
      flight.received(Life.PARKED, activation);
    }
    boolean proven = flight.options.shared() || !activation.atMostOnce();
    flight.write(new Change.Insert(row, proven ? null : row));
  }

  /// The store cannot hold this record as an activation: in its place it holds it as an undecodable
  /// message (H12). Who enqueued it is told instead.
  void replaced(Row row, Refusal refusal) {
    if (!forget(refusal.insert())) {
      return;
    }
    String id = row.activation().id();
    if (refusal.insert().owner() instanceof Entry entry && entry.enqueued != null) {
      flight.write(new Change.Delete(row.key(), id, row.activation().origin(), Row.NONE, null));
      entry.enqueued.unavailable("the store cannot hold it: " + refusal.why());
      return;
    }
    flight.effects.notice(Notice.UNDECODABLE, id, refusal.why());
    endings.produce(leaving(row));
  }

  /// Forgets what was not stored. Returns false if it was completed meanwhile: then its delete ends
  /// it.
  private boolean forget(Change.Insert insert) {
    if (insert.owner() instanceof Entry entry) {
      if (entry.step == Entry.Step.REMOVING) {
        return false;
      }
      flight.detach(entry);
      flight.turn(entry, Status.COMPLETE);
      flight.remove(entry);
      return true;
    }
    Fingerprint id = Ids.fingerprint(insert.row().activation().id());
    Origin origin = insert.row().activation().origin();
    if (!flight.parked.has(id, origin, insert.row().key())) {
      return false;
    }
    long _ = flight.parked.remove(id, origin);
    return true;
  }
}
