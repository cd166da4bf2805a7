package io.taskbroker.simulation;

import static io.taskbroker.simulation.Violation.check;
import static io.taskbroker.simulation.Violation.present;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.Carried;
import io.taskbroker.inflight.api.OutboxRecord;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.Supplier;

/// Independent record of everything that happens, kept outside the brokers: from Kafka, the disks,
/// and the traffic between brokers and workers. Every event is checked against the guarantees
/// immediately, and the whole at the end.
///
/// [KafkaLedger], [DiskLedger] and [WorkerLedger] each keep a part of it; this class keeps what
/// concerns several of them, and the final check.
final class Ledger {
  final SimulatedWorld world;
  final SeedPlan plan;
  final KafkaLedger kafka = new KafkaLedger(this);
  private final DiskLedger disks = new DiskLedger(this);
  final WorkerLedger workers = new WorkerLedger(this);
  final DeathLedger deaths = new DeathLedger(this);
  final EnqueueLedger enqueues = new EnqueueLedger(this);
  final StreamLedger streams = new StreamLedger(this);
  final ScheduleLedger schedules = new ScheduleLedger(this);
  final Map<SimulatedDisk, BrokerHistory> books = new LinkedHashMap<>();

  Ledger(SimulatedWorld world, SeedPlan plan) {
    this.world = world;
    this.plan = plan;
  }

  BrokerHistory history(SimulatedProcess process) {
    return history(process.broker);
  }

  private BrokerHistory history(SimulatedBroker broker) {
    BrokerHistory history = books.computeIfAbsent(broker.disk, _ -> new BrokerHistory());
    history.latestWall = Math.max(history.latestWall, broker.wall());
    return history;
  }

  /// Records the reading of the broker's clock.
  void observe(SimulatedBroker broker) {
    var _ = history(broker);
  }

  /// Records new rules.
  void rulesChanged(SimulatedBroker broker, SimulatedRules wanted) {
    SimulatedProcess process = broker.run();
    long runsAt = process == null ? world.now() : process.runsAt();
    history(broker).rule(world.now(), runsAt, broker.rules(), wanted);
  }

  /// A process is frozen.
  void frozen(SimulatedProcess process) {
    history(process).freeze(world.now(), process.runsAt());
  }

  /// A process is about to load its disk.
  void started(SimulatedProcess process) {
    kafka.started(process.broker);
    found(process, line -> !plan.shared() || line.home == process.broker);
  }

  /// Process that took each partition last and has not released it.
  private final Map<SourcePartition, SimulatedProcess> takenBy = new HashMap<>();

  /// A process is about to load a partition from a shared store.
  void taken(SimulatedProcess process, SourcePartition partition) {
    Predicate<Origin> which = in(partition);
    forgive(which, by -> by != process);
    if (takenBy.put(partition, process) != process) { // else it tries again, and has the rows
      found(process, line -> which.test(line.spec.origin()));
    }
    for (BrokerHistory.Line line : history(process).lines.values()) {
      if (which.test(line.spec.origin()) && line.heldIn != process) {
        line.heldIn = null; // it knows what is on disk, and what it delivered itself
      }
      if (which.test(line.spec.origin()) && line.decidedIn == process) {
        line.decidedIn = null; // before it had lost the partition
      }
    }
  }

  /// A process is about to release a partition: it forgets the rows.
  void released(SimulatedProcess process, SourcePartition partition) {
    takenBy.remove(partition, process);
    Predicate<Origin> which = in(partition);
    if (!awareOfFailover.contains(process)) {
      forgive(which, by -> by == process);
    }
    for (BrokerHistory.Line line : history(process).lines.values()) {
      if (which.test(line.spec.origin())) {
        line.forgotten |= line.deliveredBy == process;
        line.heldIn = line.heldIn == process ? null : line.heldIn;
      }
    }
  }

  private static Predicate<Origin> in(SourcePartition partition) {
    return origin -> KafkaLedger.isIn(origin, partition.topic(), partition.partition());
  }

  private void found(SimulatedProcess process, Predicate<BrokerHistory.Line> which) {
    BrokerHistory history = history(process);
    process
        .broker
        .disk
        .rows()
        .forEach((key, row) -> {
          BrokerHistory.Line line = history.lines.get(key);
          boolean found = row.status() == Status.PROCESSING && !row.deadlineExtended();
          if (line != null && which.test(line)) {
            // Earlier deliveries do not count: another broker may have had the row since.
            line.foundIn = found && row.forwardTo() == null ? process : null;
            line.foundAt = world.now();
            line.foundClock = process.broker.clockOffset();
            streams.found(process, line, row);
          }
        });
  }

  void died(SimulatedProcess process) {
    history(process).died = true;
  }

  /// A store is about to be lost; everything in flight in it must be read again.
  void lost(SimulatedBroker broker) {
    disks.lost(history(broker));
  }

  /// The store of a broker was copied.
  void copied(SimulatedBroker broker) {
    history(broker).copy(world.now());
  }

  /// The copy was put back: what became of its rows since did not happen.
  void restored(SimulatedBroker broker) {
    history(broker).restore(broker.disk.rows(), world.now());
  }

  /// Deliveries of at-most-once tasks that the database lost, until their partition is taken again.
  private final Map<WorkerLedger.Reading, SimulatedProcess> uncertain = new LinkedHashMap<>();

  /// Processes that noticed the last failover.
  private final Set<SimulatedProcess> awareOfFailover = new HashSet<>();

  /// A standby that lacks the last transactions took over.
  void failedOver(SimulatedBroker broker) {
    awareOfFailover.clear();
    BrokerHistory history = history(broker);
    for (BrokerHistory.Line line : history.lines.values()) {
      SimulatedProcess by = line.deliveredBy;
      if (line.spec.once() && line.lastDelivery >= history.copiedAt && by != null) {
        uncertain.put(line.reading, by);
      }
    }
    restored(broker);
  }

  /// A process noticed that the database went back.
  void noticed(SimulatedProcess process) {
    awareOfFailover.add(process);
    world.count("failovers noticed");
    world.trace(() -> process + " notices that the database went back");
  }

  /// Forgives deliveries that the database lost. A known limit: only the process that made them
  /// since the last offset commit knows of them. It must live until it reads the partition again,
  /// and not release the partition before it notices the failover.
  private void forgive(Predicate<Origin> which, Predicate<SimulatedProcess> by) {
    uncertain
        .entrySet()
        .removeIf(each -> {
          boolean unknown = which.test(each.getKey().origin()) && by.test(each.getValue());
          if (unknown) {
            workers.sends.remove(each.getKey());
          }
          return unknown;
        });
  }

  /// A process compared its store with Kafka at its start. A known limit: a snapshot that is
  /// younger than the last offset commit is not noticed.
  ///
  /// @param lacks whether the store lacks what a committed offset names
  /// @param noticed whether the process says so
  void compared(SimulatedProcess process, boolean lacks, boolean noticed) {
    BrokerHistory history = history(process);
    world.count(noticed ? "snapshots noticed" : "stores found whole");
    check(
        !noticed || history.restoredAt >= 0,
        "G9",
        () -> process + " takes its store for an old one, which it is not");
    if (!lacks && history.restoredAt >= 0 && !history.restoreJudged) {
      world.count("snapshots not noticed");
      for (BrokerHistory.Line line : history.lines.values()) {
        if (line.end == null && line.lastDelivery >= history.copiedAt) {
          workers.sends.remove(line.reading);
        }
      }
    }
    history.restoreJudged = history.restoredAt >= 0;
  }

  // Disk.

  /// A change was committed.
  void applied(SimulatedProcess process, Change change, ChangeOutcome outcome) {
    disks.applied(process, change, outcome);
  }

  /// The engine reports an outcome that its model excludes.
  void unexpected(SimulatedProcess process, Change change, ChangeOutcome outcome) {
    check(false, "G1", () -> process + " hears " + outcome + " of " + FaultyStore.brief(change));
  }

  /// The store refused the row; the broker stores the refused message instead.
  void rejected(SimulatedProcess process, Row row) {
    history(process).rejected.add(row.activation().origin());
  }

  static BrokerHistory.Line line(BrokerHistory history, long key) {
    Supplier<String> what = () -> "a change of a missing row: " + key;
    BrokerHistory.Line line = present(history.lines.get(key), "G1", what);
    check(line.end == null, "G1", what);
    return line;
  }

  /// Whether a rule disposes of it on arrival.
  boolean isExcused(BrokerHistory history, Spec spec) {
    boolean expired = history.latestWall >= spec.expiresAt() && !spec.deadLetters();
    long since = kafka.appendedAt(spec.origin());
    return expired
        || history.wasRuled(since, rules -> rules.kills(spec))
        || history.of(spec.id()).stream().anyMatch(line -> line.excuses(spec.origin(), since))
        || history.tombstones.containsKey(spec.id());
  }

  // Kafka.

  /// The engine passes a record to the outbox.
  void producing(SimulatedProcess process, OutboxRecord record) {
    if (process.isBehind()) {
      return; // it goes by transactions that the database has lost
    }
    Row row = process.broker.disk.rows().get(Carried.keyOf(record));
    String topic = record.destination().topic();
    BrokerHistory.Line known = history(process).lines.get(Carried.keyOf(record));
    if (plan.shared() && known != null && known.end != null && topic.equals(known.targetTopic)) {
      return; // a process wakes from a freeze: the next owner of the partition has produced it
    }
    check(
        row != null && row.forwardTo() != null && row.forwardTo().topic().equals(topic),
        "G4",
        () -> process + " produces before the forward is durable: " + record.id());
    BrokerHistory.Line line = line(history(process), Carried.keyOf(record));
    check(
        line.producedAt >= 0 || line.completedAt < 0,
        "G6",
        () -> process + " produces a task reported complete: " + record.id());
    if (line.producedAt < 0) {
      line.producedAt = world.now();
    }
  }

  void refused(SimulatedProcess process, OutboxRecord record) {
    BrokerHistory.Line line = history(process).lines.get(Carried.keyOf(record));
    if (line != null) {
      world.count("records refused by Kafka");
      line.refused = true;
    }
  }

  // Health.

  /// The watchdog ran: a stalled store must have been detected in time.
  void watchdogChecked(SimulatedProcess process, StageBounds bounds) {
    boolean mayWait =
        plan.has(Fault.FREEZE) || plan.has(Fault.STORE_IS_FULL) || plan.storeLimit() > 0;
    long patience = (SimulatedBroker.PATIENCE + 4_000) * SimulatedWorld.MS;
    check(
        mayWait || !process.isReady() || world.now() - bounds.waitingSince() < patience,
        "G9",
        () -> process + " is ready although its store is stalled");
  }

  /// A broker became unready: only a stalled store may be the reason.
  void becameUnready(SimulatedProcess process) {
    boolean mayBe =
        plan.has(Fault.STORE_FAILS)
            || plan.has(Fault.STORE_LOSES_REPLY)
            || plan.has(Fault.STORE_GHOST)
            || plan.has(Fault.STORE_STALLS);
    // A stall that starts as the faults end lasts its time.
    check(
        mayBe && !world.isQuietSince(10 * SimulatedWorld.SECOND),
        "G9",
        () -> process + " is reported stuck, but is not");
  }

  // Final check.

  /// Every record ended in exactly one way, and no row is left.
  void checkEnd(SimulatedKafka cluster) {
    for (Spec spec : kafka.records.values()) {
      Origin origin = spec.origin();
      boolean has = false;
      for (BrokerHistory history : books.values()) {
        has |= history.byOrigin.containsKey(origin) || isExcused(history, spec);
      }
      check(
          has || kafka.isSkipped(origin), "G1", () -> "never stored: " + origin + " " + spec.id());
    }
    check(isDone(), "G1", () -> "rows are left:\n" + leftOver(cluster));
  }

  /// Description of what is left, for messages.
  String leftOver(SimulatedKafka cluster) {
    var left = new StringBuilder();
    for (SimulatedKafka.Topic topic : cluster.read()) {
      for (int i = 0; i < topic.partitions().size(); i++) {
        left.append(
            "%s-%d: %d of %d committed%n"
                .formatted(topic.name(), i, topic.group().committed(i), topic.end(i)));
      }
    }
    books.forEach((disk, _) ->
        disk.rows()
            .values()
            .forEach(row -> {
              boolean once = row.activation().atMostOnce();
              left.append(
                  "row %d, %s of %s, %s, parked until %d, forwarding to %s%s%s%n"
                      .formatted(
                          row.key(),
                          row.activation().id(),
                          row.activation().application(),
                          row.status(),
                          row.parkedUntil(),
                          row.forwardTo(),
                          once ? ", at most once" : "",
                          once && !row.committed() ? ", offset unconfirmed" : ""));
            }));
    return left.toString();
  }

  /// Whether the disks hold nothing but rows that may stay.
  boolean isDone() {
    return books.entrySet().stream()
        .allMatch(each ->
            each.getKey().rows().values().stream().allMatch(row -> mayStay(each.getKey(), row)));
  }

  /// Rows that Kafka refuses are kept. At-most-once rows wait for proof that no other broker has
  /// run them, which comes when their partition returns.
  private boolean mayStay(SimulatedDisk disk, Row row) {
    BrokerHistory.Line line =
        books.computeIfAbsent(disk, _ -> new BrokerHistory()).lines.get(row.key());
    boolean apart = plan.brokers() > 1 && !plan.shared();
    boolean elsewhere = apart && row.activation().atMostOnce() && !row.committed();
    return elsewhere || (line != null && line.refused);
  }

  static byte[] poison() {
    return "\u0007 poison".getBytes(UTF_8);
  }
}
