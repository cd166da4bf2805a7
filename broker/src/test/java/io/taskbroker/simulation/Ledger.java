package io.taskbroker.simulation;

import static io.taskbroker.simulation.Violation.check;
import static io.taskbroker.simulation.Violation.present;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.Carried;
import io.taskbroker.inflight.OutboxRecord;
import io.taskbroker.store.ActivationStore.Outcome;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.Supplier;

/// Independent record of everything that happens, kept outside the brokers: from Kafka, the disks,
/// and the traffic between brokers and workers. Every event is checked against the guarantees
/// immediately, and the whole at the end.
///
/// [KafkaLedger], [DiskLedger] and [WorkerLedger] each keep a part of it; this class keeps what
/// concerns several of them, and the final check.
/// more than one of them, and the end.
final class Ledger {
  final SimulatedWorld world;
  final SeedPlan plan;
  final KafkaLedger kafka = new KafkaLedger(this);
  private final DiskLedger disks = new DiskLedger(this);
  final WorkerLedger workers = new WorkerLedger(this);
  final DeathLedger deaths = new DeathLedger(this);
  final Map<SimulatedDisk, BrokerHistory> books = new LinkedHashMap<>();

  Ledger(SimulatedWorld world, SeedPlan plan) {
    this.world = world;
    this.plan = plan;
  }

  BrokerHistory book(BrokerRun run) {
    return book(run.broker);
  }

  private BrokerHistory book(SimulatedBroker broker) {
    BrokerHistory book = books.computeIfAbsent(broker.disk, _ -> new BrokerHistory());
    book.latestWall = Math.max(book.latestWall, broker.wall());
    return book;
  }

  /// Records the reading of the broker's clock.
  void observe(SimulatedBroker broker) {
    var _ = book(broker);
  }

  /// Records new rules.
  void ruled(SimulatedBroker broker, SimulatedRules wanted) {
    BrokerRun run = broker.run();
    long runsAt = run == null ? world.now() : run.runsAt();
    book(broker).rule(world.now(), runsAt, broker.rules(), wanted);
  }

  /// A process is frozen.
  void froze(BrokerRun run) {
    book(run).freeze(world.now(), run.runsAt());
  }

  /// A process is about to load its disk.
  void started(BrokerRun run) {
    kafka.started(run.broker);
    if (!plan.shared()) {
      found(run, _ -> true);
    }
  }

  /// A process is about to load a partition from a shared store.
  void taken(BrokerRun run, SourcePartition partition) {
    found(
        run,
        origin ->
            origin.topic().equals(partition.topic())
                && origin.partition() == partition.partition());
  }

  private void found(BrokerRun run, Predicate<Origin> which) {
    BrokerHistory book = book(run);
    run.broker
        .disk
        .rows()
        .forEach((key, row) -> {
          BrokerHistory.Line line = book.lines.get(key);
          boolean found = row.status() == Status.PROCESSING && !row.deadlineExtended();
          if (line != null && which.test(row.activation().origin())) {
            // Earlier deliveries do not count: another broker may have had the row since.
            line.foundIn = found && row.leaving() == null ? run : null;
            line.foundAt = world.now();
          }
        });
  }

  void died(BrokerRun run) {
    book(run).died = true;
  }

  /// A store is about to be lost; everything in flight in it must be read again.
  void lost(SimulatedBroker broker) {
    disks.lost(book(broker));
  }

  // Disk.

  /// A change was committed.
  void applied(BrokerRun run, Change change, Outcome outcome) {
    disks.applied(run, change, outcome);
  }

  /// The store refused the row; the broker stores the refused message instead.
  void rejected(BrokerRun run, Row row) {
    book(run).rejected.add(row.activation().origin());
  }

  static BrokerHistory.Line line(BrokerHistory book, long key) {
    Supplier<String> what = () -> "a change of a missing row: " + key;
    BrokerHistory.Line line = present(book.lines.get(key), "G1", what);
    check(line.end == null, "G1", what);
    return line;
  }

  /// Whether a rule disposes of it on arrival.
  boolean isExcused(BrokerHistory book, Spec spec) {
    boolean expired = book.latestWall >= spec.expiresAt() && !spec.deadLetters();
    long since = kafka.appendedAt(spec.origin());
    return expired
        || book.wasRuled(since, rules -> rules.kills(spec))
        || book.of(spec.id()).stream().anyMatch(line -> line.excuses(spec.origin(), since))
        || book.tombstones.containsKey(spec.id());
  }

  // Kafka.

  /// The engine passes a record to the outbox.
  void departs(BrokerRun run, OutboxRecord departure) {
    Row row = run.broker.disk.rows().get(Carried.keyOf(departure));
    check(
        row != null
            && row.leaving() != null
            && row.leaving().topic().equals(departure.destination().topic()),
        "G4",
        () -> run + " produces before the forward is durable: " + departure.id());
    BrokerHistory.Line line = line(book(run), Carried.keyOf(departure));
    check(
        line.departedAt >= 0 || line.completedAt < 0,
        "G6",
        () -> run + " produces a task reported complete: " + departure.id());
    if (line.departedAt < 0) {
      line.departedAt = world.now();
    }
  }

  void refused(BrokerRun run, OutboxRecord departure) {
    BrokerHistory.Line line = book(run).lines.get(Carried.keyOf(departure));
    if (line != null) {
      world.count("records refused by Kafka");
      line.refused = true;
    }
  }

  // Health.

  /// The watchdog ran: a stalled store must have been detected in time.
  void looked(BrokerRun run, StageBounds bounds) {
    boolean mayWait =
        plan.has(Fault.FREEZE) || plan.has(Fault.STORE_IS_FULL) || plan.storeLimit() > 0;
    long patience = (SimulatedBroker.PATIENCE + 4_000) * SimulatedWorld.MS;
    check(
        mayWait || !run.isReady() || world.now() - bounds.waitingSince() < patience,
        "G9",
        () -> run + " is ready although its store is stalled");
  }

  /// A broker became unready: only a stalled store may be the reason.
  void unready(BrokerRun run) {
    boolean mayBe =
        plan.has(Fault.STORE_FAILS)
            || plan.has(Fault.STORE_LOSES_REPLY)
            || plan.has(Fault.STORE_GHOST)
            || plan.has(Fault.STORE_STALLS);
    // A stall that starts as the faults end lasts its time.
    check(
        mayBe && !world.isQuietSince(10 * SimulatedWorld.SECOND),
        "G9",
        () -> run + " is reported stuck, but is not");
  }

  // Final check.

  /// Every record ended in exactly one way, and no row is left.
  void checkEnd(SimulatedKafka cluster) {
    for (Spec spec : kafka.records.values()) {
      Origin origin = spec.origin();
      boolean has = false;
      for (BrokerHistory book : books.values()) {
        has |= book.byOrigin.containsKey(origin) || isExcused(book, spec);
      }
      check(
          has || kafka.isSkipped(origin),
          "G1",
          () -> "never stored: " + origin + " " + spec.id());
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
                          row.leaving(),
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
