package io.taskbroker.inflight;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.Ids;
import io.taskbroker.activation.Ids.Fingerprint;
import io.taskbroker.activation.ParkedRow;
import io.taskbroker.activation.Refusal;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.inflight.PartitionIntake.Settled;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.random.RandomGenerator;

/// Everything in flight, as a state machine: commands in, effects out (ARCHITECTURE.md). It has no
/// clock, thread, input or output of its own; the same engine runs in the broker and under
/// simulation.
///
/// Use: [#restore] what the store has, [#advance] to the present, [#start], then again and again
/// [#observe] and [#apply] each command, [#advance]. Not thread-safe.
public final class Inflight {
  private static final long CLOCK_STEP_MS = 500;

  private final Flight flight;
  private final Endings endings;
  private final Marks marks;
  private final Handouts handouts;
  private final Outcomes outcomes;
  private final Rulings rulings;
  private final Resumption resumption;
  private final ForeignReports foreign;
  private final ParkedReports parkedReports;
  private final Reports reports;
  private final Wakes wakes;
  private final Recall recall;
  private final SecondTries secondTries;
  private final QuarantineOrders quarantineOrders;
  private final Proofs proofs;
  private final Admission admission;
  private final Arrivals arrivals;
  private final Handover handover;
  private final Collection<PartitionIntake> partitions;
  private final List<Entry> restored = new ArrayList<>();
  private boolean started;

  public Inflight(InflightOptions options, Effects effects, RandomGenerator random) {
    flight = new Flight(options, effects, random);
    endings = new Endings(flight);
    marks = new Marks(flight);
    var limits = new TimeLimits(flight, endings, marks);
    handouts = new Handouts(flight, endings, marks, limits);
    outcomes = new Outcomes(flight, endings, marks, limits);
    rulings = new Rulings(flight, endings);
    foreign = new ForeignReports(flight, limits);
    var intakes = new HashMap<SourcePartition, PartitionIntake>();
    partitions = intakes.values();
    proofs = new Proofs(flight, endings, partitions);
    resumption = new Resumption(flight, endings, proofs, rulings);
    wakes = new Wakes(flight, endings, resumption, foreign);
    recall = new Recall(flight, rulings, resumption);
    parkedReports = new ParkedReports(flight, recall);
    reports = new Reports(flight, endings, handouts, foreign, parkedReports);
    secondTries = new SecondTries(flight, endings, resumption);
    quarantineOrders = new QuarantineOrders(flight, endings);
    var bounds = new Bounds(flight);
    admission = new Admission(flight, endings, bounds);
    arrivals = new Arrivals(flight, admission, bounds, proofs, intakes);
    handover = new Handover(flight, endings, marks, resumption, recall, intakes);
  }

  /// Takes in a row that was found in the store.
  public void restore(Row row) {
    Entry entry = resumption.entry(row);
    flight.add(entry);
    restored.add(entry);
  }

  /// Takes in what stays in memory of a parked row.
  public void restore(ParkedRow row) {
    recall.found(row);
  }

  /// Takes in a tombstone that ends at `until`, wall-clock milliseconds.
  public void restoreTombstone(Fingerprint id, long until) {
    flight.tombstones.add(id, until);
  }

  /// Begins to work, by the rules that it was told last.
  ///
  /// @param lastKey the largest key of a row that the store had ever
  public void start(long lastKey) {
    flight.begin(lastKey);
    flight.awaitReports();
    restored.forEach(entry -> resumption.resume(entry, false));
    restored.clear();
    rulings.beginSweep();
    started = true;
  }

  /// Follows one command.
  public void apply(Command command) {
    switch (command) {
      case Command.Committed done -> done.changes().forEach(this::durable);
      case Command.Report report -> reports.follow(report);
      case Command.Claim claim ->
          handouts.claim(claim.application(), claim.namespace(), new Taker.Pull(claim.reply()));
      case Command.Pushed pushed -> outcomes.pushed(pushed);
      case Command.Enqueue enqueue -> admission.enqueue(enqueue);
      case Command.Ingest records -> arrivals.ingest(records);
      case Command.Foreseen foreseen -> arrivals.foresaw(foreseen);
      case Command.Assigned assigned -> arrivals.assigned(assigned);
      case Command.Revoked revoked -> revoked(revoked);
      case Command.Restored page -> restored(page);
      case Command.OffsetCommitted committed -> arrivals.committed(committed);
      case Command.Rejected rejected ->
          throw new IllegalStateException(
              "The store cannot hold " + rejected.change() + ": " + rejected.why());
      case Command.ParkedRead page -> recall.wasRead(page);
      case Command.RowsRead read when read.owner() instanceof Entry entry ->
          secondTries.wasRead(entry, read.rows());
      case Command.RowsRead read -> reports.parkedRead(read);
      case Command.Produced produced -> endings.produced(produced.departure());
      case Command.StoreSized sized -> flight.storeBytes = sized.bytes();
      case Command.RulesChanged changed -> {
        if (started) {
          rulings.change(changed.rules());
        } else {
          flight.rules = changed.rules();
        }
      }
      case Command.Quarantined order ->
          order.reply().accept(quarantineOrders.follow(order.order()));
      case Command.Count count -> count.reply().accept(Census.of(flight));
      case Command.Drain _ -> drain();
      case Command.Fenced fenced -> fenced(fenced);
      case Command.WentBack _ -> handover.allLost().forEach(arrivals::lost);
      case Command.Recorded recorded -> reports.recorded(recorded.reports());
      case Command.PassedOn passed -> foreign.passedOn(passed);
      case Command.ReportsRead read -> {
        reports.recorded(read.reports());
        foreign.checked(read);
      }
      case Command.BarrierPassed passed -> barrierPassed(passed);
      case Command.Lease lease -> flight.leased(lease);
      case Command.Lost(String topic, int partition) -> lost(new Place(topic, partition));
      case Command.Refused refused -> endings.refused(refused.departure(), refused.why());
    }
  }

  private void revoked(Command.Revoked revoked) {
    PartitionIntake intake = arrivals.revoked(revoked);
    if (flight.options.shared()) {
      handover.revoked(intake, intake.lost);
    }
    arrivals.drained(intake);
  }

  private void restored(Command.Restored page) {
    handover.restored(page);
    reports.recorded(page.reports());
    if (!page.parked().isEmpty()) {
      rulings.beginSweep();
    }
  }

  private void fenced(Command.Fenced fenced) {
    handover.fenced(fenced.changes()).forEach(arrivals::lost);
    partitions.forEach(arrivals::drained);
  }

  private void lost(Place place) {
    handover.lost(List.of(place)).forEach(arrivals::lost);
    partitions.forEach(arrivals::drained);
  }

  private void barrierPassed(Command.BarrierPassed passed) {
    if (passed.owner() instanceof PartitionIntake intake) {
      intake.barriers--;
      arrivals.drained(intake);
    }
  }

  /// Goes on with what is given up.
  private void handOver() {
    for (PartitionIntake intake : partitions) {
      if (!intake.remaining.isEmpty() && handover.release(intake)) {
        arrivals.drained(intake);
      }
    }
    handover.resumeTwins();
  }

  private void drain() {
    flight.delivering = false;
    marks.write(true);
    for (Entry entry : flight.entries.values()) {
      marks.unmark(entry);
    }
  }

  private void durable(Change change) {
    flight.written(change);
    switch (change) {
      case Change.Insert(_, Entry entry) -> resumption.inserted(entry);
      case Change.Insert(_, Row parked) -> proofs.unproven(parked);
      case Change.Insert(Row row, Refusal refusal) -> admission.replaced(row, refusal);
      case Change.Insert _ -> {}
      case Change.Mark(_, _, _, _, _, _, _, _, _, Entry entry) -> handouts.marked(entry);
      case Change.Mark _ -> {}
      case Change.Prove(_, _, _, Entry entry) -> handouts.marked(entry);
      case Change.Prove _ -> {}
      case Change.Leave(_, _, _, _, _, _, Entry entry) -> {
        if (entry.step == Entry.Step.LEAVING) {
          flight.settle(entry);
          endings.produce(entry);
        } else if (entry.marksUnderWay > 0) {
          entry.marksUnderWay--; // it was given another destination
        }
      }
      case Change.Leave _ -> {}
      case Change.Delete delete -> deleted(delete);
      case Change.Consumed(_, _, _, Settled settled) -> arrivals.settled(settled);
      case Change.Consumed _, Change.OffsetCommitted _ -> {}
    }
  }

  private void deleted(Change.Delete delete) {
    if (delete.tombstoneUntil() != Row.NONE) {
      flight.tombstones.add(Ids.fingerprint(delete.id()), delete.tombstoneUntil());
    }
    if (delete.owner() instanceof Entry entry && entry.step == Entry.Step.REMOVING) {
      entry.step = Entry.Step.GONE;
      flight.remove(entry);
      flight.settle(entry);
    }
  }

  /// Takes note of the time, without doing what is due. Each command counts from the time that was
  /// observed last, so that a time from before its arrival would end its delays and deadlines early
  /// (G5).
  ///
  /// @param now monotonic milliseconds, never less than before
  /// @param wall milliseconds since the epoch
  public void observe(long now, long wall) {
    long step = wall - flight.wall - (now - flight.now);
    flight.now = now;
    flight.wall = wall;
    if (started && Math.abs(step) > CLOCK_STEP_MS) {
      wakes.rebase();
      if (step < 0) {
        for (Lane lane : flight.lanes.all()) {
          lane.parking.rewind();
          flight.lanes.schedule(lane);
        }
      }
    }
  }

  /// Moves on to a time, and does what is due and what the commands before made possible: for a
  /// caller whose clock stands still meanwhile. Others call [#catchUp] and [#handOut].
  ///
  /// @param now monotonic milliseconds, never less than before
  /// @param wall milliseconds since the epoch
  public void advance(long now, long wall) {
    catchUp(now, wall);
    handOut(now, wall);
  }

  /// Moves on to a time, and does what is due.
  ///
  /// @param now monotonic milliseconds, never less than before
  /// @param wall milliseconds since the epoch
  public void catchUp(long now, long wall) {
    observe(now, wall);
    if (!started) {
      return;
    }
    if (flight.options.shared()) {
      handOver();
    }
    wakes.wakeDue();
    marks.write(false);
    flight.tombstones.forget(wall);
    arrivals.accept();
    rulings.sweep();
  }

  /// Answers reports and hands out what may run at a time: what expired while [#catchUp] worked is
  /// not handed out (G5).
  ///
  /// @param now monotonic milliseconds, never less than before
  /// @param wall milliseconds since the epoch
  public void handOut(long now, long wall) {
    observe(now, wall);
    if (!started) {
      return;
    }
    reports.answer();
    recall.read();
    secondTries.begin();
    pump();
    foreign.ask();
    parkedReports.ask();
  }

  private void pump() {
    Iterator<Lane> lanes = flight.lanes.sending.iterator();
    while (lanes.hasNext()) {
      Lane lane = lanes.next();
      handouts.pump(lane);
      if (!lane.hasReady()) {
        lanes.remove();
      }
    }
  }

  /// The monotonic time at which there is something to do without a further command;
  /// [Long#MAX_VALUE] if never.
  public long nextWake() {
    long next = Math.min(flight.timers.next(), marks.next());
    next = Math.min(next, secondTries.next());
    for (Lane lane : flight.lanes.sending) {
      next = Math.min(next, lane.pauseEnds(flight.now));
    }
    if (flight.hasRoom() && flight.memory.mayRead()) {
      for (Lane lane : flight.lanes.reading) {
        if (flight.memory.hasRoom(lane)) {
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

  /// How much is in flight.
  public Depths depths() {
    Census census = Census.of(flight);
    return new Depths(
        census.pending(),
        census.delayed(),
        census.claimed() + census.processing(),
        census.leaving(),
        census.parked(),
        census.memoryBytes());
  }

  /// How much is in flight, in activations.
  ///
  /// @param parked on disk only
  /// @param memoryBytes bytes of memory that they take
  public record Depths(
      int pending, int delayed, int handedOut, int leaving, int parked, long memoryBytes) {}
}
