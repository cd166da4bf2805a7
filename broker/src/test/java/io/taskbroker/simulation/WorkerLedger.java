package io.taskbroker.simulation;

import static io.taskbroker.simulation.Violation.check;
import static io.taskbroker.simulation.Violation.present;

import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.Carried;
import io.taskbroker.inflight.Command;
import io.taskbroker.inflight.Delivery;
import io.taskbroker.inflight.PushOutcome;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/// The part of the ledger that is about workers: what they are handed, and when it may be, what
/// they report, and what they are answered (G2, G3, G5, G6).
final class WorkerLedger {
  private final Ledger ledger;

  /// One reading of a record: the first, or another that an operator wanted.
  record Reading(Origin origin, int number) {}

  /// How often what may run only once was handed out, as far as it may have reached a worker.
  final Map<Reading, Integer> sends = new HashMap<>();

  /// Runs that stopped in order, and by how much their clock was set forth then: deadlines on disk
  /// are wall-clock times.
  private final Map<BrokerRun, Long> stoppedInOrder = new HashMap<>();

  WorkerLedger(Ledger ledger) {
    this.ledger = ledger;
  }

  /// A process ended in order, and what it did in its last moments was not disturbed.
  void stopped(BrokerRun run) {
    boolean calm =
        run.isIdle()
            && !ledger.plan.has(Fault.STORE_FAILS)
            && !ledger.plan.has(Fault.STORE_LOSES_REPLY)
            && !ledger.plan.has(Fault.STORE_STALLS)
            && !ledger.plan.has(Fault.STORE_IS_FULL)
            && ledger.plan.storeLimit() == 0
            && !ledger.plan.has(Fault.FREEZE);
    if (calm) {
      stoppedInOrder.put(run, run.broker.clockOffset());
    }
  }

  /// The engine gives a task's worker up.
  void deadlinePassed(BrokerRun run, String id) {
    for (BrokerHistory.Line line : ledger.book(run).of(id)) {
      ledger.deaths.overdue(line);
      boolean asked = ledger.world.now() - line.recordedAt > SimulatedWorld.SECOND;
      check(
          line.recordedAt < 0 || line.end != null || !asked || ledger.plan.has(Fault.FREEZE),
          "G6",
          () -> run + " gives up what another broker was told to be complete: " + id);
      check(
          line.end != null
              || line.foundIn != run
              || line.heldIn == run
              || ledger.world.now() - line.foundAt
                  >= (SimulatedBroker.RESTART_GRACE - 10) * SimulatedWorld.MS,
          "G6",
          () -> run + " gives up at its start what may have been reported meanwhile: " + id);
    }
  }

  /// A worker is handed something, at this moment.
  ///
  /// @param pulled whether a worker asked for it
  void handedOut(BrokerRun run, Delivery delivery, boolean pulled) {
    BrokerHistory book = ledger.book(run);
    long key = Carried.keyOf(delivery);
    Origin origin = Carried.by(delivery).origin();
    BrokerHistory.Line stored = book.lines.get(key);
    Spec spec =
        stored != null
            ? stored.spec
            : present(
                ledger.kafka.records.get(origin),
                "G1",
                () -> "handed out without a record: " + delivery.id());
    ledger.world.trace(() ->
        run
            + " hands out "
            + delivery.id()
            + " ("
            + key
            + "), for the "
            + delivery.deliveries()
            + ". time");
    long wall = run.broker.wall();
    check(wall >= spec.delayUntil(), "G5", () -> run + " hands out early: " + delivery.id());
    check(wall < spec.expiresAt(), "G5", () -> run + " hands out after the end: " + delivery.id());
    check(
        !run.rules().kills(spec),
        "G5",
        () -> run + " hands out what is switched off: " + delivery.id());
    check(
        spec.isCarriedBy(delivery.payload()),
        "G1",
        () -> "other bytes than the record's: " + delivery.id());
    check(run.isLeased(), "G3", () -> run + " hands out after its lease: " + delivery.id());
    if (!run.owns(origin)) {
      // A known limit: until it hears that it lost a partition, it hands out what it knows of it.
      ledger.world.count("hand-outs by a former owner");
      if (spec.once() && stored != null) {
        sendOnce(run, stored);
      }
      return;
    }
    Supplier<String> gone = () -> run + " hands out what is not on disk: " + delivery.id();
    Row row = present(run.broker.disk.rows().get(key), "G6", gone);
    check(row.forwardTo() == null, "G6", gone);
    BrokerHistory.Line line = Ledger.line(book, key);
    ledger.world.count(delivery.deliveries() > 1 ? "hand-outs again" : "hand-outs");
    if (spec.once()) {
      ledger.world.count("hand-outs of what may run only once");
      // Where brokers share a store, its fences are the proof.
      boolean shared = ledger.plan.shared();
      check(
          shared || ledger.kafka.isCommitted(line),
          "G3",
          () -> run + " hands out before its offset is committed: " + delivery.id());
      check(
          shared || row.committed(),
          "G3",
          () -> run + " hands out without proof: " + delivery.id());
      check(
          row.status().isHandedOut(),
          "G3",
          () -> run + " hands out without mark: " + delivery.id());
      sendOnce(run, line);
    }
    check(
        !isHeld(run, line)
            || ledger.world.now() - line.lastHandOut >= spec.deadline() * SimulatedWorld.MS,
        "G5",
        () -> run + " hands out what a worker still may take its time with: " + delivery.id());
    if (!pulled) {
      ledger.deaths.called(run, delivery, line);
    }
    line.heldIn = pulled ? run : null;
    line.handedOutBy = run;
    line.handOuts++;
    line.lastHandOut = ledger.world.now();
  }

  private void sendOnce(BrokerRun run, BrokerHistory.Line line) {
    int times = sends.merge(line.reading, 1, Integer::sum);
    Spec spec = line.spec;
    check(times == 1, "G3", () -> run + " hands out again: " + spec.id() + " of " + spec.origin());
  }

  /// Whether the process knows that a worker has it: from the worker, or from the process before.
  private boolean isHeld(BrokerRun run, BrokerHistory.Line line) {
    Long clock = stoppedInOrder.get(line.heldIn);
    return line.heldIn == run || (clock != null && clock == run.broker.clockOffset());
  }

  /// The engine does not wait for the answer to a call any more: whatever it hears of it then comes
  /// too late.
  void leasePassed(BrokerRun run, String id) {
    for (BrokerHistory.Line line : ledger.book(run).of(id)) {
      if (line.end == null && line.handedOutBy == run) {
        long waited = ledger.world.now() - line.lastHandOut;
        check(
            waited >= (SimulatedBroker.LEASE - 1) * SimulatedWorld.MS,
            "G5",
            () -> run + " does not wait for the answer to a call: " + id);
        line.givenUp = line.handOuts;
      }
    }
  }

  /// The engine hears how a call ended.
  void heard(BrokerRun run, Command.PushEnded pushed) {
    ledger.world.trace(() -> run + " hears " + pushed.outcome() + " of " + pushed.delivery().id());
    ledger.deaths.ended(run, pushed);
    BrokerHistory.Line line = ledger.book(run).lines.get(Carried.keyOf(pushed.delivery()));
    if (line != null
        && pushed.outcome() == PushOutcome.ACCEPTED
        && run.equals(line.handedOutBy)
        && line.handOuts == pushed.delivery().deliveries()
        && line.handOuts != line.givenUp) {
      line.heldIn = run;
    }
    // The worker's word counts, whatever the broker makes of it.
    boolean proof =
        pushed.outcome() == PushOutcome.BUSY || pushed.outcome() == PushOutcome.UNREACHABLE;
    if (proof && line != null) {
      sends.computeIfPresent(line.reading, (_, count) -> count > 1 ? count - 1 : null);
    }
  }

  /// A worker's report reaches the broker.
  void reported(BrokerRun run, List<Command.Update> updates) {
    BrokerHistory book = ledger.book(run);
    for (Command.Update update : updates) {
      ledger.world.trace(() -> run + " is told " + update.status() + " of " + update.id());
      book.report(update.id(), update.status());
    }
  }

  /// Whether the report may be about a row of the same id that another broker has, or had. A known
  /// limit: each broker takes it for one about the row that it has.
  private boolean wasAnother(BrokerHistory book, BrokerHistory.Line line, long since) {
    return ledger.plan.shared()
        && book.of(line.spec.id()).stream()
            .filter(other -> !other.equals(line))
            .anyMatch(other -> other.end == null || other.isGoneSince(since));
  }

  /// The broker says OK to a report that reached it at `since`.
  ///
  /// @param strict whether the report was the first one about a task that its worker has
  void answered(BrokerRun run, List<Command.Update> updates, long since, boolean strict) {
    BrokerHistory book = ledger.book(run);
    for (Command.Update update : updates) {
      ledger.world.trace(() -> run + " answers OK to " + update.status() + " of " + update.id());
      if (update.status() == Status.COMPLETE || strict) {
        for (BrokerHistory.Line line : book.of(update.id())) {
          // A known limit: what was lost with a store and is read again was not handed out since.
          boolean readAgain = line.insertedAt > book.lostAt && book.lostAt >= 0;
          boolean unknown = readAgain && line.handOuts == 0 && update.status() != Status.COMPLETE;
          if (!book.isLast(line) || unknown) {
            continue;
          }
          Row row = run.broker.disk.rows().get(line.key);
          boolean recorded = run.broker.disk.isRecorded(line.key, update.status());
          if (update.status() == Status.COMPLETE && line.insertedAt < since) {
            if (recorded) {
              line.recordedAt = ledger.world.now();
            } else if (row == null || row.forwardTo() != null) {
              line.completedAt = ledger.world.now();
            }
          }
          check(
              line.insertedAt >= since
                  || row == null
                  || row.forwardTo() != null
                  || recorded
                  || wasAnother(book, line, since),
              "G2",
              () -> run + " said OK to " + update + ", and the row is there");
        }
      }
    }
  }
}
