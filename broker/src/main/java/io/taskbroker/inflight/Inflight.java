package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.Ids;
import io.taskbroker.activation.Ids.Fingerprint;
import io.taskbroker.activation.ParkedRow;
import io.taskbroker.activation.Refusal;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.PartitionIntake.Settled;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.random.RandomGenerator;

/// Everything in flight, as a state machine: commands in, effects out (design section 4). It has no
/// clock, thread, input or output of its own; the same engine runs in the broker and under
/// simulation.
///
/// Use: [#restore] what the store has, [#advance] to the present, [#start], then again and again
/// [#observe], any number of [#apply], [#advance]. Not thread-safe.
public final class Inflight {
  private static final long CLOCK_STEP_MS = 500;

  private final Flight flight;
  private final Endings endings;
  private final Handouts handouts;
  private final Arrivals arrivals;
  private final Proofs proofs;
  private final Reports reports;
  private final Rulings rulings;
  private final List<Entry> restored = new ArrayList<>();
  private boolean started;

  public Inflight(InflightOptions options, Effects effects, RandomGenerator random) {
    flight = new Flight(options, effects, random);
    endings = new Endings(flight);
    handouts = new Handouts(flight, endings);
    var partitions = new HashMap<SourcePartition, PartitionIntake>();
    proofs = new Proofs(flight, endings, partitions.values());
    arrivals = new Arrivals(flight, endings, proofs, partitions);
    reports = new Reports(flight, endings, handouts);
    rulings = new Rulings(flight, endings);
  }

  /// Takes in a row that was found in the store.
  public void restore(Row row) {
    Activation activation = row.activation();
    Lane lane = flight.lane(activation.application());
    Entry entry = new Entry(row.key(), activation, row.status(), lane);
    entry.attempts = row.attempts();
    entry.committed = row.committed();
    entry.deadlineExtended = row.deadlineExtended();
    entry.deadline = Math.max(row.processingDeadline(), row.claimExpiresAt());
    entry.destination = row.leaving();
    flight.add(entry);
    restored.add(entry);
  }

  /// Takes in what stays in memory of a parked row.
  public void restore(ParkedRow row) {
    flight.parked.put(Ids.fingerprint(row.id()), row.key());
    Lane lane = flight.lane(row.application());
    lane.parking.found(row.parkedUntil());
    flight.schedule(lane);
  }

  /// Takes in a tombstone that ends at `until`, wall-clock milliseconds.
  public void restoreTombstone(Fingerprint id, long until) {
    flight.tombstones.add(id, until);
  }

  /// Begins to work, by the rules that it was told last.
  ///
  /// @param lastKey the largest key of a row that the store had ever
  public void start(long lastKey) {
    flight.lastKey = lastKey;
    restored.forEach(this::resume);
    restored.clear();
    rulings.beginSweep();
    started = true;
  }

  /// Goes on with a row from where its last run left it.
  private void resume(Entry entry) {
    entry.step = Entry.Step.STORED;
    if (!rulings.admits(entry)) {
      return;
    }
    switch (entry.status) {
      case PENDING -> resumePending(entry);
      case DELAY -> stored(entry);
      case CLAIMED, PROCESSING -> resumeHandedOut(entry);
      case FAILURE -> {
        if (entry.destination != null) {
          entry.step = Entry.Step.LEAVING;
          endings.produce(entry);
        } else {
          endings.fail(entry, "it had failed before the restart");
        }
      }
      case RETRY -> {
        if (entry.destination != null) {
          entry.step = Entry.Step.LEAVING;
          endings.produce(entry);
        } else {
          endings.retry(entry, -1, -1);
        }
      }
      case COMPLETE -> endings.remove(entry, false);
    }
  }

  /// A worker may have it, since marks are lazy: it waits a moment, so that a report that is on its
  /// way comes first. What may run only once has a mark if a worker has it.
  private void resumePending(Entry entry) {
    if (entry.attempts > 0 && entry.attempts >= flight.options.limits().maxAttempts()) {
      // As a reference broker leaves it, which counts in one step and acts on it in another.
      endings.fail(entry, entry.attempts + " processing deadlines passed");
    } else if (entry.activation.atMostOnce()) {
      stored(entry);
    } else {
      flight.timers.set(entry, flight.now + flight.options.periods().settle());
    }
  }

  /// A worker has it, or had: it keeps its deadline, moved once so that reports get through first
  /// (H16). A claim that was not followed up is free again, unless it may run only once (H9).
  private void resumeHandedOut(Entry entry) {
    if (entry.status == Status.CLAIMED && !entry.activation.atMostOnce()) {
      flight.turn(entry, Status.PENDING);
      resumePending(entry);
      return;
    }
    long deadline = entry.deadline;
    if (deadline <= 0) {
      deadline =
          flight.wall
              + entry.activation.deadlineSeconds() * 1000L
              + flight.options.periods().grace();
    }
    long earliest = flight.wall + flight.options.periods().restartGrace();
    boolean extend = deadline < earliest && !entry.deadlineExtended;
    if (extend) {
      deadline = earliest;
      entry.deadlineExtended = true;
    }
    entry.marked = true;
    entry.markedAt = flight.now;
    entry.deadline = flight.mono(deadline);
    flight.timers.set(entry, entry.deadline);
    if (extend) {
      if (entry.status == Status.CLAIMED) {
        flight.turn(entry, Status.PROCESSING);
      }
      flight.mark(entry, entry.mark(Row.NONE, deadline));
    }
  }

  /// Follows one command.
  public void apply(Command command) {
    switch (command) {
      case Command.Committed done -> done.changes().forEach(this::durable);
      case Command.Report report -> reports.follow(report);
      case Command.Claim claim ->
          handouts.claim(claim.application(), claim.namespace(), new Taker.Pull(claim.reply()));
      case Command.Pushed pushed ->
          handouts.pushed(pushed.delivery(), pushed.outcome(), pushed.detail());
      case Command.Enqueue enqueue -> arrivals.enqueue(enqueue);
      case Command.Ingest records -> arrivals.ingest(records);
      case Command.Assigned assigned -> arrivals.assigned(assigned);
      case Command.Revoked revoked -> arrivals.revoked(revoked);
      case Command.OffsetCommitted committed -> arrivals.committed(committed);
      case Command.Rejected rejected ->
          throw new IllegalStateException(
              "The store cannot hold " + rejected.change() + ": " + rejected.why());
      case Command.ParkedRead page -> unpark(page);
      case Command.Produced produced -> endings.produced(produced.departure());
      case Command.StoreSized sized -> flight.storeBytes = sized.bytes();
      case Command.RulesChanged changed -> {
        if (started) {
          rulings.change(changed.rules());
        } else {
          flight.rules = changed.rules();
        }
      }
      case Command.Count count -> count.reply().accept(census());
      case Command.Drain _ -> drain();
      case Command.Fenced _,
          Command.Restored _,
          Command.Recorded _,
          Command.PassedOn _,
          Command.ReportsRead _,
          Command.BarrierPassed _,
          Command.Lease _ ->
          throw new IllegalStateException("Not there yet: " + command);
      case Command.Refused refused -> endings.refused(refused.departure(), refused.why());
    }
  }

  private void drain() {
    flight.delivering = false;
    handouts.mark(true);
    for (Entry entry : flight.entries.values()) {
      handouts.unmark(entry);
    }
  }

  private void durable(Change change) {
    flight.written();
    switch (change) {
      case Change.Insert(_, Entry entry) -> inserted(entry);
      case Change.Insert(_, Row parked) -> proofs.unproven(parked);
      case Change.Insert(Row row, Refusal refusal) -> arrivals.replaced(row, refusal);
      case Change.Insert _ -> {}
      case Change.Mark(_, _, _, _, _, _, _, _, _, Entry entry) -> handouts.marked(entry);
      case Change.Mark _ -> {}
      case Change.Prove(_, _, _, Entry entry) -> handouts.marked(entry);
      case Change.Prove _ -> {}
      case Change.Leave(_, _, _, _, _, _, Entry entry) -> {
        if (entry.step == Entry.Step.LEAVING) {
          flight.settle(entry);
          endings.produce(entry);
        }
      }
      case Change.Leave _ -> {}
      case Change.Delete delete -> deleted(delete);
      case Change.Consumed(_, _, Settled settled) -> arrivals.settled(settled);
      case Change.Consumed _, Change.OffsetCommitted _ -> {}
    }
  }

  private void inserted(Entry entry) {
    Command.EnqueueReply enqueued = entry.enqueued;
    if (enqueued != null) {
      entry.enqueued = null;
      flight.effects.reply(enqueued);
    }
    if (entry.step == Entry.Step.STORING) {
      entry.step = Entry.Step.STORED;
      stored(entry);
    } else {
      endings.produce(entry);
    }
  }

  /// It is durable and may run: now, when its delay ends, or when its offset is committed.
  private void stored(Entry entry) {
    if (entry.isUnproven()) {
      proofs.unproven(entry);
    }
    if (entry.step != Entry.Step.STORED) {
      return;
    }
    if (entry.status == Status.DELAY) {
      flight.timers.set(entry, flight.mono(entry.activation.delayUntil()));
    } else if (entry.status == Status.PENDING && !entry.isUnproven()) {
      runnable(entry);
    }
  }

  private void runnable(Entry entry) {
    if (flight.options.pushes() && !entry.lane.routable) {
      handouts.notice(entry.lane, Notice.NO_WORKER, entry.activation.taskname());
    }
    endings.ready(entry, false);
  }

  private void deleted(Change.Delete delete) {
    if (delete.tombstoneUntil() != Row.NONE) {
      flight.tombstones.add(Ids.fingerprint(delete.id()), delete.tombstoneUntil());
    }
    if (delete.owner() instanceof Entry entry) {
      flight.remove(entry);
      flight.settle(entry);
    }
  }

  /// Takes the rows of a page that are parked still: what was done to a row since the page was
  /// asked for took it from the index (H15).
  private void unpark(Command.ParkedRead page) {
    if (page.upTo() == Rulings.ALL) {
      rulings.swept(page, this::unpark);
      return;
    }
    Lane lane = flight.lane(page.application());
    lane.parking.wasRead(page);
    flight.schedule(lane);
    for (Row row : page.rows()) {
      Fingerprint id = Ids.fingerprint(row.activation().id());
      if (flight.parked.get(id) == row.key()) {
        unpark(row);
      }
    }
  }

  private void unpark(Row row) {
    flight.parked.remove(Ids.fingerprint(row.activation().id()));
    Lane lane = flight.lane(row.activation().application());
    Entry entry = new Entry(row.key(), row.activation(), row.status(), lane);
    entry.attempts = row.attempts();
    entry.committed = row.committed();
    entry.recalled = true;
    entry.step = Entry.Step.STORED;
    flight.add(entry);
    if (rulings.admits(entry)) {
      stored(entry);
    }
  }

  /// Takes note of the time, without doing what is due: commands that are followed after it count
  /// from it, however long nothing happened before them.
  ///
  /// @param now monotonic milliseconds, never less than before
  /// @param wall milliseconds since the epoch
  public void observe(long now, long wall) {
    long step = wall - flight.wall - (now - flight.now);
    flight.now = now;
    flight.wall = wall;
    if (started && Math.abs(step) > CLOCK_STEP_MS) {
      rebase();
      if (step < 0) {
        flight.lanes.values().forEach(lane -> lane.parking.rewind());
      }
    }
  }

  /// Moves on to a time, and does what is due and what the commands before made possible.
  ///
  /// @param now monotonic milliseconds, never less than before
  /// @param wall milliseconds since the epoch
  public void advance(long now, long wall) {
    observe(now, wall);
    if (!started) {
      return;
    }
    Entry due = flight.timers.poll(now);
    while (due != null) {
      wake(due);
      due = flight.timers.poll(now);
    }
    handouts.mark(false);
    flight.tombstones.forget(wall);
    arrivals.accept();
    rulings.sweep();
    reports.answer();
    readParked();
    pump();
  }

  /// Reads parked rows back for the applications that have room for them.
  private void readParked() {
    for (Lane lane : List.copyOf(flight.reading)) {
      if (lane.readAt > flight.wall || !flight.hasRoom()) {
        return;
      }
      if (flight.hasBytes(lane)) {
        lane.parking.read(flight, lane.room(flight.options.limits().maxPending()));
        flight.schedule(lane);
      }
    }
  }

  private void pump() {
    Iterator<Lane> lanes = flight.sending.iterator();
    while (lanes.hasNext()) {
      Lane lane = lanes.next();
      handouts.pump(lane);
      if (!lane.hasReady()) {
        lanes.remove();
      }
    }
  }

  private void wake(Entry entry) {
    switch (entry.status) {
      case DELAY -> {
        if (entry.activation.delayUntil() > flight.wall) {
          flight.timers.set(entry, flight.mono(entry.activation.delayUntil()));
        } else {
          flight.tally(Tally.DELAY_ELAPSED, entry.activation);
          flight.turn(entry, Status.PENDING);
          if (entry.step == Entry.Step.STORED && !entry.isUnproven()) {
            runnable(entry);
          }
        }
      }
      case PENDING -> {
        if (flight.isExpired(entry.activation)) {
          endings.expire(entry);
        } else if (entry.queue == null) {
          runnable(entry);
        } else {
          flight.timers.set(entry, flight.mono(entry.activation.expiresAt()));
        }
      }
      case CLAIMED -> handouts.leasePassed(entry);
      case PROCESSING -> handouts.deadlinePassed(entry);
      case FAILURE, RETRY, COMPLETE -> {}
    }
  }

  /// The wall clock stepped: what runs by it gets its time anew, and deadlines on disk, which are
  /// kept by it, too (H21).
  private void rebase() {
    for (Entry entry : List.copyOf(flight.entries.values())) {
      if (entry.step != Entry.Step.STORED) {
        continue;
      }
      switch (entry.status) {
        case DELAY -> flight.timers.set(entry, flight.mono(entry.activation.delayUntil()));
        case PENDING -> {
          if (entry.queue != null && entry.activation.expiresAt() != Activation.NEVER) {
            flight.timers.set(entry, flight.mono(entry.activation.expiresAt()));
          }
        }
        case PROCESSING -> {
          if (entry.marked) {
            flight.mark(entry, entry.mark(Row.NONE, flight.wall(entry.deadline)));
          }
        }
        case CLAIMED, FAILURE, RETRY, COMPLETE -> {}
      }
    }
  }

  /// The monotonic time at which there is something to do without a further command;
  /// [Long#MAX_VALUE] if never.
  public long nextWake() {
    long next = Math.min(flight.timers.next(), handouts.nextMark());
    for (Lane lane : flight.sending) {
      next = Math.min(next, lane.pauseEnds(flight.now));
    }
    if (flight.hasRoom()) {
      for (Lane lane : flight.reading) {
        if (flight.hasBytes(lane)) {
          next = Math.min(next, flight.mono(lane.readAt));
          break;
        }
      }
    }
    return arrivals.isWaiting() ? Math.min(next, flight.now + 1_000) : next;
  }

  /// Whether requests may be taken in now; all other commands always may (H14).
  public boolean hasRoom() {
    return flight.hasRoom();
  }

  /// How many changes wait for the store.
  public int outstanding() {
    return flight.outstanding();
  }

  private Census census() {
    Depths depths = depths();
    long oldest = flight.wall;
    for (Lane lane : flight.lanes.values()) {
      Entry entry = lane.oldest(null);
      if (entry != null) {
        oldest = Math.min(oldest, entry.activation.receivedAt());
      }
    }
    return new Census(
        depths.pending,
        flight.claimed,
        depths.handedOut - flight.claimed,
        depths.delayed,
        depths.leaving,
        depths.parked,
        flight.outstanding(),
        depths.residentBytes,
        flight.wall - oldest);
  }

  /// How much is in flight.
  public Depths depths() {
    int pending = 0;
    int handedOut = 0;
    for (Lane lane : flight.lanes.values()) {
      pending += lane.pending;
      handedOut += lane.handedOut;
    }
    return new Depths(
        pending,
        flight.delayed,
        handedOut,
        flight.leaving,
        flight.parked.size(),
        flight.residentBytes());
  }

  /// How much is in flight, in activations.
  ///
  /// @param parked on disk only
  /// @param residentBytes payload bytes in memory
  public record Depths(
      int pending, int delayed, int handedOut, int leaving, int parked, long residentBytes) {}
}
