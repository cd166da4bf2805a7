package io.taskbroker.simulation;

import static io.taskbroker.simulation.Violation.check;
import static io.taskbroker.simulation.Violation.present;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.Carried;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.Delivery;
import io.taskbroker.inflight.api.PushOutcome;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/// Part of the ledger about workers: deliveries to them, their reports, and the replies (G2, G3,
/// G5, G6).
final class WorkerLedger {
  private final Ledger ledger;

  /// One reading of a record: the first, or another one after an operator's reset.
  record Reading(Origin origin, int number) {}

  /// Number of deliveries of an at-most-once task that may have reached a worker.
  final Map<Reading, Integer> sends = new HashMap<>();

  /// Processes that stopped gracefully, with the offset of their clock at that time: deadlines on
  /// disk are wall-clock times.
  private final Map<SimulatedProcess, Long> stoppedInOrder = new HashMap<>();

  WorkerLedger(Ledger ledger) {
    this.ledger = ledger;
  }

  /// A process stopped gracefully, without faults in its last moments.
  void stopped(SimulatedProcess process) {
    boolean calm =
        process.isIdle()
            && !ledger.plan.has(Fault.STORE_FAILS)
            && !ledger.plan.has(Fault.STORE_LOSES_REPLY)
            && !ledger.plan.has(Fault.STORE_STALLS)
            && !ledger.plan.has(Fault.STORE_IS_FULL)
            && ledger.plan.storeLimit() == 0
            && !ledger.plan.has(Fault.FREEZE);
    if (calm) {
      stoppedInOrder.put(process, process.broker.clockOffset());
    }
  }

  /// The rows of a task: one, but for what the log has lost.
  private List<BrokerHistory.Line> rows(SimulatedProcess process, Activation task) {
    return ledger.history(process).of(task.id()).stream()
        .filter(line ->
            line.home == null
                ? line.spec.origin().equals(task.origin())
                : line.home == process.broker && task.origin().partition() < 0)
        .toList();
  }

  /// A processing deadline passed in the engine.
  void deadlinePassed(SimulatedProcess process, Activation task) {
    String id = task.id();
    for (BrokerHistory.Line line : rows(process, task)) {
      ledger.deaths.overdue(line);
      if (!line.spec.once()) {
        ledger.streams.givenUp(process, line);
      }
      line.session =
          null; // it runs elsewhere once a worker is free, and counts for none until then
      boolean asked = ledger.world.now() - line.recordedAt > SimulatedWorld.SECOND;
      check(
          line.recordedAt < 0 || line.end != null || !asked || ledger.plan.has(Fault.FREEZE),
          "G6",
          () -> process + " times out a task that another broker knows to be complete: " + id);
      check(
          line.end != null
              || line.foundIn != process
              || line.heldIn == process
              || line.foundClock != process.broker.clockOffset() // those on disk are of the clock
              || ledger.world.now() - line.foundAt
                  >= (SimulatedBroker.RESTART_GRACE - 10) * SimulatedWorld.MS,
          "G6",
          () ->
              process
                  + " times out at its start a task that may have been reported meanwhile: "
                  + id);
    }
  }

  /// A task is delivered to a worker at this moment.
  ///
  /// @param pulled whether a worker asked for it
  void delivered(SimulatedProcess process, Delivery delivery, boolean pulled) {
    BrokerHistory history = ledger.history(process);
    long key = Carried.keyOf(delivery);
    Origin origin = Carried.by(delivery).origin();
    BrokerHistory.Line stored = history.lines.get(key);
    Spec spec =
        stored != null
            ? stored.spec
            : present(
                ledger.kafka.records.get(origin),
                "G1",
                () -> "delivered without a record: " + delivery.id());
    ledger.world.trace(() ->
        process
            + " delivers "
            + delivery.id()
            + " ("
            + key
            + ", token "
            + delivery.number()
            + "), for the "
            + delivery.deliveries()
            + ". delivery");
    long wall = process.broker.wall();
    check(wall >= spec.delayUntil(), "G5", () -> process + " delivers early: " + delivery.id());
    check(
        wall < spec.expiresAt(), "G5", () -> process + " delivers after expiry: " + delivery.id());
    check(
        stored == null || stored.cancelledIn != process,
        "G5",
        () -> process + " delivers a cancelled task: " + delivery.id());
    check(!process.isDraining(), "G9", () -> process + " delivers while it stops");
    check(
        !process.rules().kills(spec),
        "G5",
        () -> process + " delivers a switched-off task: " + delivery.id());
    check(
        spec.isCarriedBy(delivery.payload()),
        "G1",
        () -> "bytes differ from the record: " + delivery.id());
    check(
        delivery.task().activation().priority() == spec.priority(),
        "G1",
        () -> "another priority than that of the client: " + delivery.id());
    check(process.isLeased(), "G3", () -> process + " delivers after its lease: " + delivery.id());
    if (!process.owns(origin)) {
      // A known limit: a former owner delivers loaded tasks until it learns that it lost the
      // partition.
      ledger.world.count("deliveries by a former owner");
      if (spec.once() && stored != null) {
        sendOnce(process, stored);
      }
      return;
    }
    Supplier<String> gone =
        () -> process + " delivers a task that is not on disk: " + delivery.id();
    Row row = present(process.broker.disk.rows().get(key), "G6", gone);
    check(row.forwardTo() == null, "G6", gone);
    BrokerHistory.Line line = Ledger.line(history, key);
    check(
        line.recordedAt < 0 || line.recordedAt >= line.foundAt,
        "G6",
        () -> process + " delivers what was complete before it found it: " + delivery.id());
    ledger.world.count(delivery.deliveries() > 1 ? "redeliveries" : "deliveries");
    if (spec.once()) {
      ledger.world.count("at-most-once deliveries");
      // With a shared store, its fences are the proof.
      boolean shared = ledger.plan.shared() || line.home != null;
      check(
          shared || ledger.kafka.isCommitted(process, line),
          "G3",
          () -> process + " delivers before its offset is committed: " + delivery.id());
      check(
          shared || row.committed(),
          "G3",
          () -> process + " delivers before the commit is confirmed: " + delivery.id());
      check(
          row.status().isHandedOut(),
          "G3",
          () -> process + " delivers without a status update: " + delivery.id());
      sendOnce(process, line);
    }
    check(
        !isHeld(process, line)
            || ledger.world.now() - line.heldSince() >= spec.deadline() * SimulatedWorld.MS,
        "G5",
        () -> process + " delivers a task that a worker may still be processing: " + delivery.id());
    if (!pulled) {
      ledger.deaths.called(process, delivery, line);
    }
    ledger.streams.redelivered(process, line);
    line.onlyStreams = false;
    line.heldIn = pulled ? process : null;
    line.deliveredBy = process;
    line.foundIn = line.foundIn == process ? null : line.foundIn;
    line.lastToken = delivery.token();
    line.forgotten = false;
    line.session = null;
    line.deliveries++;
    line.lastDelivery = ledger.world.now();
  }

  private void sendOnce(SimulatedProcess process, BrokerHistory.Line line) {
    int times = sends.merge(line.reading, 1, Integer::sum);
    Spec spec = line.spec;
    check(
        times == 1,
        "G3",
        () -> process + " redelivers an at-most-once task: " + spec.id() + " of " + spec.origin());
  }

  /// Whether the process knows that a worker has it: from the worker, or from the previous process.
  private boolean isHeld(SimulatedProcess process, BrokerHistory.Line line) {
    Long clock = stoppedInOrder.get(line.heldIn);
    return line.heldIn == process
        || (clock != null && clock == process.broker.clockOffset() && !line.onlyStreams);
  }

  /// The engine gave up the worker of a task.
  void workerLost(SimulatedProcess process, Activation task) {
    for (BrokerHistory.Line line : rows(process, task)) {
      ledger.streams.givenUp(process, line);
      if (line.heldIn == process) {
        line.heldIn = null;
        line.losses++;
        ledger.deaths.lost(process, line);
      }
    }
  }

  /// The engine decided how a task ends. Whether it may is judged when that becomes durable.
  void decided(SimulatedProcess process, Activation task) {
    rows(process, task).forEach(line -> line.decidedIn = process);
  }

  /// The lease of a claim passed: the engine ignores the result of the call from now on.
  void leasePassed(SimulatedProcess process, Activation task) {
    String id = task.id();
    for (BrokerHistory.Line line : rows(process, task)) {
      if (line.end == null && line.deliveredBy == process) {
        long waited = ledger.world.now() - line.lastDelivery;
        check(
            waited >= (SimulatedBroker.LEASE - 1) * SimulatedWorld.MS,
            "G5",
            () -> process + " does not wait for the result of a call: " + id);
        line.abandonedDelivery = line.deliveries;
      }
    }
  }

  /// The engine received the result of a call.
  void callEnded(SimulatedProcess process, Command.PushEnded pushed) {
    ledger.world.trace(
        () -> process + " receives " + pushed.outcome() + " of " + pushed.delivery().id());
    ledger.deaths.callEnded(process, pushed);
    BrokerHistory.Line line = ledger.history(process).lines.get(Carried.keyOf(pushed.delivery()));
    if (line != null
        && pushed.outcome() == PushOutcome.ACCEPTED
        && process.equals(line.deliveredBy)
        && !line.forgotten // its partition may come back, and its row says nothing of the call
        && pushed.delivery().token().equals(line.lastToken)
        && line.deliveries == pushed.delivery().deliveries()
        && line.deliveries != line.abandonedDelivery) {
      line.heldIn = process;
    }
    // The worker's answer counts, whatever the broker concludes from it.
    boolean proof =
        pushed.outcome() == PushOutcome.BUSY || pushed.outcome() == PushOutcome.UNREACHABLE;
    if (proof && line != null) {
      line.unreached++;
      sends.computeIfPresent(line.reading, (_, count) -> count > 1 ? count - 1 : null);
    }
  }

  /// A worker's report reached the broker.
  void reported(SimulatedProcess process, List<Command.Update> updates) {
    BrokerHistory history = ledger.history(process);
    for (Command.Update update : updates) {
      ledger.world.trace(() -> process + " receives " + update.status() + " of " + update.id());
      history.report(update.id(), update.status());
      if (update.status() == Status.RETRY) {
        history.of(update.id()).stream()
            .filter(line -> line.home != null)
            .forEach(line -> retryWanted(process, history, line, update.delayOnRetry()));
      }
    }
  }

  /// A worker wants an enqueued task retried, which happens in the store, or fails it if no attempt
  /// is left.
  private static void retryWanted(
      SimulatedProcess process, BrokerHistory history, BrokerHistory.Line line, long seconds) {
    long[] delays =
        seconds >= 0
            ? new long[] {seconds * 1_000, seconds * 1_000}
            : EnqueueLedger.delays(line.spec.bytes(), line.spec.attempts() + 1);
    line.failures.add(new StreamLedger.Failure(process.broker.wall(), delays[0], delays[1]));
    history.report(line.spec.id(), Status.FAILURE);
  }

  /// Whether the report may be about a row of the same id at another broker. A known limit: each
  /// broker applies it to its own row.
  boolean wasAnother(BrokerHistory history, BrokerHistory.Line line, long since) {
    return ledger.plan.shared()
        && history.of(line.spec.id()).stream()
            .filter(other -> !other.equals(line))
            .anyMatch(other -> other.end == null || other.isGoneSince(since));
  }

  /// The broker acknowledged a report that reached it at `since`.
  ///
  /// @param strict key of the row whose worker reports for the first time and has it; [Row#NONE] if
  ///   it reports again or may not have it
  void answered(SimulatedProcess process, List<Command.Update> updates, long since, long strict) {
    BrokerHistory history = ledger.history(process);
    for (Command.Update update : updates) {
      ledger.world.trace(
          () -> process + " answers OK to " + update.status() + " of " + update.id());
      boolean complete = update.status() == Status.COMPLETE;
      if (complete || strict != Row.NONE) {
        for (BrokerHistory.Line line : history.of(update.id())) {
          if (!complete && line.key != strict) {
            continue; // another row of the same id
          }
          // A known limit: a task lost with a store and read again has reached no worker since.
          boolean readAgain = line.insertedAt > history.lostAt && history.lostAt >= 0;
          boolean unknown =
              readAgain && line.deliveries == line.unreached && update.status() != Status.COMPLETE;
          if (!history.isLast(line) || unknown) {
            continue;
          }
          Row row = process.broker.disk.rows().get(line.key);
          boolean recorded = process.broker.disk.isRecorded(line.key, update.status());
          if (update.status() == Status.COMPLETE && line.insertedAt < since) {
            if (recorded) {
              line.recordedAt = ledger.world.now();
            } else if ((row == null || row.forwardTo() != null)
                && !wasAnother(history, line, since)) {
              line.completedAt = ledger.world.now();
            }
          }
          check(
              line.insertedAt >= since
                  || history.restoredAt >= since // durable, and lost again
                  || row == null
                  || row.forwardTo() != null
                  || (line.home != null && line.spec.attempts() > 0) // retried in the store
                  || recorded
                  || wasAnother(history, line, since),
              "G2",
              () -> process + " acknowledged " + update + ", but the row is still there");
        }
      }
    }
  }
}
