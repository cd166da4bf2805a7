package io.taskbroker.simulation;

import static io.taskbroker.simulation.Violation.check;
import static io.taskbroker.simulation.Violation.present;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.activation.Watermark;
import io.taskbroker.inflight.Carried;
import io.taskbroker.inflight.Command;
import io.taskbroker.inflight.Delivery;
import io.taskbroker.inflight.Departure;
import io.taskbroker.inflight.PushOutcome;
import io.taskbroker.store.ActivationStore.Outcome;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/// An independent account of what happens, kept from outside of the brokers: from what is in Kafka,
/// on the disks, and between brokers and workers. Every entry is checked against the guarantees at
/// once, and all of them together at the end.
final class Ledger {
  final World world;
  final Plan plan;
  private final DiskLedger disks = new DiskLedger(this);

  /// What is in the topics that brokers read, and all values of each topic.
  final Map<Origin, Spec> records = new LinkedHashMap<>();

  final Map<String, Set<ByteBuffer>> appended = new HashMap<>();
  private final Map<SimulatedBroker, Book> books = new LinkedHashMap<>();
  final Map<Origin, Integer> sends = new HashMap<>();
  final Map<String, Long> committed = new HashMap<>();

  /// Up to where offsets were committed before an operator set them back.
  private final Map<String, Long> proven = new HashMap<>();

  private final Set<BrokerRun> stoppedInOrder = new HashSet<>();
  final Map<String, Long> skipped = new HashMap<>();
  private final Map<Origin, Long> appendedAt = new HashMap<>();
  private final Map<String, Integer> incarnations = new HashMap<>();

  /// How many partitions topics had when something of them was first committed.
  private final Map<String, Integer> initially = new HashMap<>();

  /// Where partitions are to be begun of which an operator set the offset.
  private final Map<String, Long> beginnings = new HashMap<>();

  Ledger(World world, Plan plan) {
    this.world = world;
    this.plan = plan;
  }

  Book book(BrokerRun run) {
    return book(run.broker);
  }

  private Book book(SimulatedBroker broker) {
    Book book = books.computeIfAbsent(broker, _ -> new Book());
    book.latestWall = Math.max(book.latestWall, broker.wall());
    return book;
  }

  /// Takes note of what the broker's clock says.
  void observe(SimulatedBroker broker) {
    var _ = book(broker);
  }

  static String place(String topic, int partition) {
    return topic + "-" + partition;
  }

  void appended(String topic, int partition, long offset, byte[] value) {
    var origin = new Origin(topic, partition, offset);
    appended.computeIfAbsent(topic, _ -> new HashSet<>()).add(ByteBuffer.wrap(value));
    Spec spec =
        topic.equals(Kafka.RAW)
            ? Spec.raw(origin, value, Kafka.RAW + "-uuid-" + incarnation(topic))
            : Spec.of(origin, value);
    world.count("records in " + topic);
    world.trace(() -> "kafka has " + place(topic, partition) + "@" + offset + " " + spec.id());
    if (!topic.equals(Kafka.DEAD_LETTERS) && !topic.equals(Kafka.ELSEWHERE)) {
      records.put(origin, spec);
      appendedAt.put(origin, world.now());
    }
  }

  /// When the record came into Kafka; or when it was begun to be read again, because an operator
  /// wanted it so.
  long appendedAt(Origin origin) {
    return appendedAt.getOrDefault(origin, 0L);
  }

  private int incarnation(String topic) {
    return incarnations.getOrDefault(topic, 1);
  }

  /// An operator sets the offset of a group: it is obeyed, unless it is one that the broker may
  /// have left behind itself.
  void reset(String topic, int partition, long before, long offset) {
    String place = place(topic, partition);
    committed.put(place, offset);
    if (offset > before) {
      skipped.merge(place, offset, Math::max);
    }
    long begin = offset;
    for (SimulatedBroker broker : books.keySet()) {
      for (Watermark mark : broker.disk.watermarks().values()) {
        boolean same =
            mark.partition().topic().equals(topic)
                && mark.partition().partition() == partition
                && mark.partition().topicId().endsWith("-" + incarnation(topic));
        if (same && mark.committed() <= offset && offset <= mark.next()) {
          begin = mark.next();
        }
      }
    }
    beginnings.put(place, begin);
    world.count(offset < before ? "offsets set back" : "offsets set forth");
  }

  /// A topic was deleted and made anew: what was in the old one is over.
  void madeAnew(String topic, int partitions) {
    incarnations.put(topic, incarnation(topic) + 1);
    initially.remove(topic);
    records.keySet().removeIf(origin -> origin.topic().equals(topic));
    appendedAt.keySet().removeIf(origin -> origin.topic().equals(topic));
    sends.keySet().removeIf(origin -> origin.topic().equals(topic));
    for (int i = 0; i < partitions; i++) {
      String place = place(topic, i);
      committed.remove(place);
      proven.remove(place);
      skipped.remove(place);
      books.values().forEach(book -> book.watermarks.remove(place));
      beginnings.remove(place);
      if (!mayBeginAtItsEnd(topic, i)) {
        beginnings.put(place, 0L);
      }
    }
    books
        .values()
        .forEach(book -> book.byOrigin.keySet().removeIf(origin -> origin.topic().equals(topic)));
    world.count("topics made anew");
  }

  /// A broker begins to read a partition.
  void begins(BrokerRun run, String topic, int partition, long position) {
    String place = place(topic, partition);
    Long expected = beginnings.remove(place);
    if (expected == null) {
      return;
    }
    check(
        expected == position,
        "G1",
        () -> run + " begins " + place + " at " + position + " and not at " + expected);
    records.keySet().stream()
        .filter(origin -> origin.topic().equals(topic) && origin.partition() == partition)
        .filter(origin -> origin.offset() >= position)
        .forEach(origin -> {
          appendedAt.put(origin, world.now());
          sends.remove(origin);
          world.count("records to be read again");
        });
  }

  /// Whether the policy for topics of which nothing is known may be `latest` here: a partition that
  /// was added later may hold records already (H5).
  boolean mayBeginAtItsEnd(String topic, int partition) {
    return plan.latest()
        && topic.equals(Kafka.TASKS)
        && partition < initially.getOrDefault(topic, Integer.MAX_VALUE);
  }

  /// Whether a topic has, or had, these bytes.
  boolean isIn(String topic, byte[] value) {
    return appended.getOrDefault(topic, Set.of()).contains(ByteBuffer.wrap(value));
  }

  /// Other rules are to hold.
  void ruled(SimulatedBroker broker, SimulatedRules wanted) {
    book(broker).rule(world.now(), broker.rules(), wanted);
  }

  /// A process is about to load what is on its disk.
  void started(BrokerRun run) {
    Book book = book(run);
    run.broker
        .disk
        .rows()
        .forEach((key, row) -> {
          Book.Line line = book.lines.get(key);
          boolean found = row.status() == Status.PROCESSING && !row.deadlineExtended();
          if (line != null && found && row.leaving() == null) {
            line.foundIn = run;
            line.foundAt = world.now();
          }
        });
  }

  /// A process ended in order, and what it did in its last moments was not disturbed.
  void stopped(BrokerRun run) {
    boolean calm =
        !plan.has(Fault.STORE_FAILS)
            && !plan.has(Fault.STORE_LOSES_REPLY)
            && !plan.has(Fault.STORE_STALLS)
            && !plan.has(Fault.STORE_IS_FULL)
            && plan.storeLimit() == 0
            && !plan.has(Fault.FREEZE);
    if (calm) {
      stoppedInOrder.add(run);
    }
  }

  /// The engine gives a task's worker up.
  void deadlinePassed(BrokerRun run, String id) {
    for (Book.Line line : book(run).of(id)) {
      check(
          line.end != null
              || line.foundIn != run
              || line.heldIn == run
              || world.now() - line.foundAt >= (SimulatedBroker.RESTART_GRACE - 10) * World.MS,
          "G6",
          () -> run + " gives up at its start what may have been reported meanwhile: " + id);
    }
  }

  void died(BrokerRun run) {
    book(run).died = true;
  }

  // On disk.

  /// A change is committed.
  void applied(BrokerRun run, Change change, Outcome outcome) {
    disks.applied(run, change, outcome);
  }

  /// The store cannot hold the row: what was refused of it is stored instead.
  void rejected(BrokerRun run, Row row) {
    book(run).rejected.add(row.activation().origin());
  }

  static Book.Line line(Book book, long key) {
    Supplier<String> what = () -> "a change of a row that is not there: " + key;
    Book.Line line = present(book.lines.get(key), "G1", what);
    check(line.end == null, "G1", what);
    return line;
  }

  /// Whether a rule disposes of it on arrival.
  boolean isExcused(Book book, Spec spec) {
    boolean expired = book.latestWall >= spec.expiresAt() && !spec.deadLetters();
    long since = appendedAt(spec.origin());
    return expired
        || book.wasRuled(since, rules -> rules.kills(spec))
        || book.of(spec.id()).stream().anyMatch(line -> line.excuses(spec.origin(), since))
        || book.tombstones.containsKey(spec.id());
  }

  // In Kafka.

  void offsetCommitted(BrokerRun run, String topic, int partition, long before, long offset) {
    Book book = book(run);
    String place = place(topic, partition);
    world.trace(() -> run + " commits offset " + place + "@" + offset);
    initially.computeIfAbsent(topic, _ -> run.broker.kafka.topic(topic).partitions().size());
    check(offset >= before, "G1", () -> "the offset of " + place + " goes back: " + offset);
    boolean beginning = before < 0 && !book.watermarks.containsKey(place);
    if (beginning) {
      check(
          offset == 0 || mayBeginAtItsEnd(topic, partition),
          "G1",
          () -> run + " skips the beginning of " + place);
      skipped.put(place, offset);
    } else {
      check(
          Math.max(before, book.watermarks.getOrDefault(place, -1L)) >= offset,
          "G1",
          () -> run + " commits " + place + "@" + offset + ", which is not durable");
    }
    committed.put(place, offset);
    proven.merge(place, offset, Math::max);
  }

  /// The engine hands a departure to the outbox.
  void departs(BrokerRun run, Departure departure) {
    Row row = run.broker.disk.rows().get(Carried.keyOf(departure));
    check(
        row != null
            && row.leaving() != null
            && row.leaving().topic().equals(departure.destination().topic()),
        "G4",
        () -> run + " produces what is not durably decided: " + departure.id());
    Book.Line line = line(book(run), Carried.keyOf(departure));
    check(
        line.departedAt >= 0 || line.completedAt < 0,
        "G6",
        () -> run + " produces what it had heard to be complete: " + departure.id());
    if (line.departedAt < 0) {
      line.departedAt = world.now();
    }
  }

  void refused(BrokerRun run, Departure departure) {
    Book.Line line = book(run).lines.get(Carried.keyOf(departure));
    if (line != null) {
      world.count("departures refused");
      line.refused = true;
    }
  }

  // With workers.

  /// A worker is handed something, at this moment.
  ///
  /// @param pulled whether a worker asked for it
  void handedOut(BrokerRun run, Delivery delivery, boolean pulled) {
    Book book = book(run);
    long key = Carried.keyOf(delivery);
    Origin origin = Carried.by(delivery).origin();
    Spec spec =
        present(records.get(origin), "G1", () -> "handed out without a record: " + delivery.id());
    world.trace(() ->
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
    Supplier<String> gone = () -> run + " hands out what is not on disk: " + delivery.id();
    Row row = present(run.broker.disk.rows().get(key), "G6", gone);
    check(row.leaving() == null, "G6", gone);
    world.count(delivery.deliveries() > 1 ? "hand-outs again" : "hand-outs");
    if (spec.once()) {
      world.count("hand-outs of what may run only once");
      check(
          proven.getOrDefault(place(origin.topic(), origin.partition()), 0L) > origin.offset(),
          "G3",
          () -> run + " hands out before its offset is committed: " + delivery.id());
      check(row.committed(), "G3", () -> run + " hands out without proof: " + delivery.id());
      check(
          row.status().isHandedOut(),
          "G3",
          () -> run + " hands out without mark: " + delivery.id());
      int times = sends.merge(origin, 1, Integer::sum);
      check(times == 1, "G3", () -> run + " hands out again: " + delivery.id() + " of " + origin);
    }
    Book.Line line = line(book, key);
    check(
        (line.heldIn != run && !stoppedInOrder.contains(line.heldIn))
            || world.now() - line.lastHandOut >= spec.deadline() * World.MS,
        "G5",
        () -> run + " hands out what a worker still may take its time with: " + delivery.id());
    line.heldIn = pulled ? run : null;
    line.handOuts++;
    line.lastHandOut = world.now();
  }

  /// The engine hears that the worker does not have it.
  void heard(BrokerRun run, Command.Pushed pushed) {
    world.trace(() -> run + " hears " + pushed.outcome() + " of " + pushed.delivery().id());
    Book.Line line = book(run).lines.get(Carried.keyOf(pushed.delivery()));
    if (line != null
        && pushed.outcome() == PushOutcome.ACCEPTED
        && line.handOuts == pushed.delivery().deliveries()) {
      line.heldIn = run;
    }
    // The worker's word counts, whatever the broker makes of it.
    boolean proof =
        pushed.outcome() == PushOutcome.BUSY || pushed.outcome() == PushOutcome.UNREACHABLE;
    if (proof) {
      sends.computeIfPresent(
          Carried.by(pushed.delivery()).origin(), (_, count) -> count > 1 ? count - 1 : null);
    }
  }

  /// A worker's report reaches the broker.
  void reported(BrokerRun run, List<Command.Update> updates) {
    Book book = book(run);
    for (Command.Update update : updates) {
      world.trace(() -> run + " is told " + update.status() + " of " + update.id());
      book.report(update.id(), update.status());
    }
  }

  /// The broker says OK to a report that reached it at `since`.
  ///
  /// @param strict whether the report was the first one about a task that its worker has
  void answered(BrokerRun run, List<Command.Update> updates, long since, boolean strict) {
    Book book = book(run);
    for (Command.Update update : updates) {
      world.trace(() -> run + " answers OK to " + update.status() + " of " + update.id());
      if (update.status() == Status.COMPLETE || strict) {
        for (Book.Line line : book.of(update.id())) {
          if (update.status() == Status.COMPLETE && line.insertedAt < since) {
            line.completedAt = world.now();
          }
          Row row = run.broker.disk.rows().get(line.key);
          check(
              line.insertedAt >= since || row == null || row.leaving() != null,
              "G2",
              () -> run + " said OK to " + update + ", and the row is there");
        }
      }
    }
  }

  /// The watchdog has looked: a store that takes nothing must have been seen in time.
  void looked(BrokerRun run, Bounds bounds) {
    boolean mayWait =
        plan.has(Fault.FREEZE) || plan.has(Fault.STORE_IS_FULL) || plan.storeLimit() > 0;
    long patience = (SimulatedBroker.PATIENCE + 4_000) * World.MS;
    check(
        mayWait || !run.isReady() || world.now() - bounds.waitingSince() < patience,
        "G9",
        () -> run + " is ready, and its store has done nothing for long");
  }

  /// A broker says that it is not ready any more: only what keeps a store from working may be why.
  void unready(BrokerRun run) {
    boolean mayBe =
        plan.has(Fault.STORE_FAILS)
            || plan.has(Fault.STORE_LOSES_REPLY)
            || plan.has(Fault.STORE_GHOST)
            || plan.has(Fault.STORE_STALLS);
    check(mayBe && !world.isQuiet(), "G9", () -> run + " is called stuck, and is not");
  }

  // At the end.

  /// Every record ended in one way, and nothing is left.
  void checkEnd(Kafka kafka) {
    for (Spec spec : records.values()) {
      Origin origin = spec.origin();
      boolean has = false;
      for (Book book : books.values()) {
        has |= book.byOrigin.containsKey(origin) || isExcused(book, spec);
      }
      boolean before =
          origin.offset() < skipped.getOrDefault(place(origin.topic(), origin.partition()), 0L);
      check(has || before, "G1", () -> "lost on the way in: " + origin + " " + spec.id());
    }
    check(isDone(), "G1", () -> "rows are left:\n" + leftOver(kafka));
  }

  /// What keeps the end from coming, for messages.
  String leftOver(Kafka kafka) {
    var left = new StringBuilder();
    for (Kafka.Topic topic : kafka.read()) {
      for (int i = 0; i < topic.partitions().size(); i++) {
        left.append(
            "%s-%d: %d of %d committed%n"
                .formatted(topic.name(), i, topic.group().committed(i), topic.end(i)));
      }
    }
    books.forEach((broker, _) ->
        broker
            .disk
            .rows()
            .values()
            .forEach(row -> {
              boolean once = row.activation().atMostOnce();
              left.append(
                  "%s: row %d, %s of %s, %s, parked until %d, leaving for %s%s%s%n"
                      .formatted(
                          broker.name,
                          row.key(),
                          row.activation().id(),
                          row.activation().application(),
                          row.status(),
                          row.parkedUntil(),
                          row.leaving(),
                          once ? ", at most once" : "",
                          once && !row.committed() ? ", not proven" : ""));
            }));
    return left.toString();
  }

  /// Whether nothing is left on the disks but what may stay there.
  boolean isDone() {
    return books.entrySet().stream()
        .allMatch(each ->
            each.getKey().disk.rows().values().stream()
                .allMatch(row -> mayStay(each.getKey(), row)));
  }

  /// What Kafka refuses is kept. What may run only once waits for proof that nobody else has run
  /// it, which comes when its partition returns.
  private boolean mayStay(SimulatedBroker broker, Row row) {
    Book.Line line = books.computeIfAbsent(broker, _ -> new Book()).lines.get(row.key());
    boolean elsewhere = plan.brokers() > 1 && row.activation().atMostOnce() && !row.committed();
    return elsewhere || (line != null && line.refused);
  }

  static byte[] poison() {
    return "\u0007 poison".getBytes(UTF_8);
  }
}
