package io.taskbroker.simulation;

import static io.taskbroker.simulation.Violation.check;
import static io.taskbroker.simulation.Violation.present;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.Ids;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.store.ActivationStore.Outcome;
import java.util.List;

/// The part of the ledger that is about disks: what becomes durable, and whether it may.
final class DiskLedger {
  private final Ledger ledger;

  DiskLedger(Ledger ledger) {
    this.ledger = ledger;
  }

  void applied(BrokerRun run, Change change, Outcome outcome) {
    BrokerHistory book = ledger.book(run);
    if (outcome == Outcome.FENCED && ledger.plan.shared()) {
      ledger.world.count("changes fenced");
      return;
    }
    check(outcome == Outcome.APPLIED, "G1", () -> run + ": " + outcome + " of " + brief(change));
    switch (change) {
      case Change.Insert(Row row, _) -> inserted(run, book, row);
      case Change.Forward leave -> left(run, book, leave);
      case Change.Delete delete -> deleted(run, book, delete);
      case Change.AdvanceWatermark consumed ->
          consumed(
              run,
              book,
              consumed.partition().topic(),
              consumed.partition().partition(),
              consumed.next());
      case Change.OffsetCommitted c -> {
        String place = KafkaLedger.place(c.partition().topic(), c.partition().partition());
        book.watermarks.putIfAbsent(place, c.committed());
        book.everDurable.putIfAbsent(place, c.committed());
      }
      case Change.UpdateStatus _, Change.ConfirmOffset _ -> {}
    }
  }

  /// What was in flight is to come from Kafka again, as if it had never been read; what was done
  /// may.
  void lost(BrokerHistory book) {
    for (BrokerHistory.Line line : List.copyOf(book.lines.values())) {
      if (line.end == null) {
        Origin origin = line.spec.origin();
        book.forget(line);
        String place = KafkaLedger.place(origin.topic(), origin.partition());
        book.watermarks.computeIfPresent(place, (_, next) -> Math.min(next, origin.offset()));
      }
    }
    book.lostAt = ledger.world.now();
  }

  private static String brief(Change change) {
    return FaultyStore.brief(change);
  }

  private void inserted(BrokerRun run, BrokerHistory book, Row row) {
    Origin origin = row.activation().origin();
    byte[] payload = row.activation().payload();
    boolean behind = book.behind.contains(KafkaLedger.place(origin.topic(), origin.partition()));
    KafkaLedger.Gone gone = behind ? ledger.kafka.gone(origin, payload) : null;
    Spec spec =
        gone != null
            ? gone.spec()
            : present(
                ledger.kafka.records.get(origin), "G1", () -> "a row without a record: " + origin);
    check(spec.isCarriedBy(payload), "G1", () -> "other bytes than the record's: " + origin);
    BrokerHistory.Line before = book.byOrigin.get(origin);
    check(
        before == null
            || gone != null
            || mayComeAgain(book, before)
            || isWantedAgain(before)
            || before.insertedAt <= book.lostAt,
        "G1",
        () -> run + " ingested twice: " + origin);
    String id = row.activation().id();
    for (BrokerHistory.Line other : book.of(id)) {
      // Two brokers may have one each; what comes to have both runs them one after the other.
      boolean apart = ledger.plan.shared() && !isOfOnePartition(other.spec.origin(), origin);
      check(other.end != null || apart, "G4", () -> run + " has two rows of " + id);
    }
    long until = book.forbidden.getOrDefault(forbidden(id, origin), 0L);
    check(
        ledger.plan.has(Fault.CLOCK_STEP) || book.lostAt >= 0 || run.broker.wall() >= until,
        "G4",
        () -> run + " takes " + id + " in before its tombstone ends");
    if (row.parkedUntil() != Row.NONE) {
      ledger.world.count("rows parked");
    }
    var line =
        new BrokerHistory.Line(
            row.key(),
            spec,
            gone != null ? gone.reading() : ledger.kafka.reading(origin),
            ledger.world.now());
    line.departing = payload;
    book.add(line, gone != null);
    if (row.forwardTo() != null) {
      line.leavesFor = row.forwardTo().topic();
      line.leftAt = ledger.world.now();
      boolean elsewhere = SimulatedKafka.ELSEWHERE.equals(line.leavesFor);
      check(
          !elsewhere || mayBeDemoted(book, line),
          "G5",
          () -> run + " demotes what nobody wants demoted: " + id);
    }
  }

  /// Whether an operator had it read again since it was stored: it may have ended meanwhile.
  private boolean isWantedAgain(BrokerHistory.Line before) {
    return before.insertedAt < ledger.kafka.appendedAt(before.spec.origin());
  }

  /// A known limit: where the store is full or refuses something, rows are durable before the
  /// watermark behind them. What of them ended before a crash came between is read again, unless it
  /// may run only once; and what was refused is kept again as the message that it was, though the
  /// first is still on its way out.
  private boolean mayComeAgain(BrokerHistory book, BrokerHistory.Line before) {
    SeedPlan plan = ledger.plan;
    boolean apart =
        plan.storeLimit() > 0 || plan.has(Fault.STORE_IS_FULL) || plan.has(Fault.STORE_REFUSES);
    boolean mayRunAgain = before.handOuts == 0 || !before.spec.once();
    boolean over = before.end != null || book.rejected.contains(before.spec.origin());
    return apart && book.died && over && mayRunAgain;
  }

  private void left(BrokerRun run, BrokerHistory book, Change.Forward leave) {
    BrokerHistory.Line line = Ledger.line(book, leave.key());
    String id = leave.id();
    byte[] payload = leave.payload();
    if (leave.status() == Status.RETRY) {
      check(
          book.wasReported(id, Status.RETRY),
          "G4",
          () -> run + " retries what nobody wants retried: " + id);
      byte[] retry = present(payload, "G4", () -> "a retry without payload: " + id);
      Spec next = Spec.of(line.spec.origin(), retry);
      check(
          next.id().equals(Ids.retry(id, line.spec.attempts() + 1)),
          "G4",
          () -> "the id of a retry is not derived: " + next.id() + " of " + id);
    } else if (leave.destination().topic().equals(SimulatedKafka.ELSEWHERE)) {
      check(
          mayBeDemoted(book, line), "G5", () -> run + " demotes what nobody wants demoted: " + id);
    } else {
      check(line.spec.deadLetters(), "G4", () -> run + " dead-letters against the policy: " + id);
      check(mayFail(run, book, line), "G4", () -> run + " dead-letters for no reason: " + id);
    }
    line.leavesFor = leave.destination().topic();
    line.leftAt = ledger.world.now();
    if (payload != null) {
      line.departing = payload;
    }
  }

  private boolean mayBeDemoted(BrokerHistory book, BrokerHistory.Line line) {
    long since = ledger.kafka.appendedAt(line.spec.origin());
    return book.wasRuled(since, rules -> rules.demotes(line.spec));
  }

  /// Whether there is a reason for it to fail for good, or to expire.
  private boolean mayFail(BrokerRun run, BrokerHistory book, BrokerHistory.Line line) {
    Spec spec = line.spec;
    boolean late =
        line.handOuts > 0
            && ledger.world.now() - line.lastHandOut
                >= Math.min(spec.deadline() + SimulatedBroker.GRACE, SimulatedBroker.LEASE)
                    * SimulatedWorld.MS;
    return book.wasReported(spec.id(), Status.FAILURE)
        || book.latestWall >= spec.expiresAt()
        || late
        || ledger.deaths.mayFail(line)
        || ledger.plan.has(Fault.WORKER_REFUSES)
        || (spec.once() && ambiguous(run, line))
        || !spec.decodable();
  }

  /// Whether another broker, or an earlier run, may have handed it out as far as this one knows.
  private boolean ambiguous(BrokerRun run, BrokerHistory.Line line) {
    return run.number > 1
        || ledger.plan.brokers() > 1
        || ledger.plan.has(Fault.FREEZE)
        || !line.reading.equals(ledger.kafka.reading(line.spec.origin())) // its record is lost
        || ledger.plan.has(Fault.PARTITION_ADDED) // a rebalance, in which a commit may get lost
        || ledger.workers.sends.containsKey(line.reading);
  }

  private void deleted(BrokerRun run, BrokerHistory book, Change.Delete delete) {
    BrokerHistory.Line line = Ledger.line(book, delete.key());
    Spec spec = line.spec;
    String id = spec.id();
    line.endedAt = ledger.world.now();
    boolean gone = line.leavesFor != null && ledger.kafka.isIn(line.leavesFor, line.departing);
    boolean off = book.wasRuled(line.insertedAt, rules -> rules.kills(spec));
    boolean complete = book.wasReported(id, Status.COMPLETE);
    if (gone) {
      line.end =
          switch (String.valueOf(line.leavesFor)) {
            case SimulatedKafka.RETRIES -> BrokerHistory.End.RETRIED;
            case SimulatedKafka.ELSEWHERE -> BrokerHistory.End.DEMOTED;
            default -> BrokerHistory.End.DEAD_LETTERED;
          };
    } else if (complete) {
      line.end = BrokerHistory.End.COMPLETED;
    } else if (line.refused) {
      line.end = BrokerHistory.End.DISCARDED; // it comes again
    } else if (off && (line.leavesFor == null || book.rejected.contains(spec.origin()))) {
      line.end = BrokerHistory.End.SWITCHED_OFF;
    } else {
      check(line.leavesFor == null, "G4", () -> run + " forgets what is not in Kafka: " + id);
      check(!spec.deadLetters(), "G1", () -> run + " discards against the policy: " + id);
      check(mayFail(run, book, line), "G1", () -> run + " loses " + id + " of " + spec.origin());
      line.end =
          book.latestWall >= spec.expiresAt()
              ? BrokerHistory.End.EXPIRED
              : BrokerHistory.End.DISCARDED;
    }
    ledger.world.count("ended " + line.end);
    boolean remembered = spec.derived() || spec.once();
    boolean mayReturn =
        line.end == BrokerHistory.End.DEAD_LETTERED
            || line.end == BrokerHistory.End.DEMOTED
            || (complete && line.leavesFor != null);
    if (remembered && !mayReturn && !line.refused) {
      check(delete.tombstoneUntil() != Row.NONE, "G4", () -> run + " forgets the id of " + id);
    }
    if (delete.tombstoneUntil() != Row.NONE) {
      book.tombstones.put(id, delete.tombstoneUntil());
      book.forbidden.put(forbidden(id, spec.origin()), delete.tombstoneUntil());
    }
  }

  private static boolean isOfOnePartition(Origin one, Origin other) {
    return one.topic().equals(other.topic()) && one.partition() == other.partition();
  }

  private String forbidden(String id, Origin origin) {
    return ledger.plan.shared()
        ? id + "@" + KafkaLedger.place(origin.topic(), origin.partition())
        : id;
  }

  private void consumed(BrokerRun run, BrokerHistory book, String topic, int partition, long next) {
    String place = KafkaLedger.place(topic, partition);
    if (book.behind.contains(place)) {
      return;
    }
    long before = book.watermarks.getOrDefault(place, -1L);
    long from = before;
    if (before < 0) {
      from =
          Math.max(
              ledger.kafka.committed.getOrDefault(place, 0L),
              ledger.kafka.skipped.getOrDefault(place, 0L));
    }
    if (ledger.kafka.mayBeginAtItsEnd(topic, partition)
        && before < 0
        && !ledger.kafka.committed.containsKey(place)) {
      // Nothing is known of it anywhere: it begins where it likes.
      long first = next;
      for (long offset = 0; offset < next && first == next; offset++) {
        if (book.byOrigin.containsKey(new Origin(topic, partition, offset))) {
          first = offset;
        }
      }
      ledger.kafka.skipped.put(place, first);
      from = first;
    }
    for (long offset = from; offset < next; offset++) {
      var origin = new Origin(topic, partition, offset);
      check(
          isAccountedFor(book, place, origin),
          "G1",
          () -> run + " passes a record that is nowhere: " + origin);
    }
    book.watermarks.put(place, next);
    book.everDurable.put(place, next);
  }

  private boolean isAccountedFor(BrokerHistory book, String place, Origin origin) {
    Spec spec =
        present(
            ledger.kafka.records.get(origin), "G1", () -> "passes what was never there: " + origin);
    BrokerHistory.Line line = book.byOrigin.get(origin);
    return (line != null && line.endedAt >= ledger.kafka.appendedAt(origin))
        || ledger.isExcused(book, spec)
        || origin.offset() < ledger.kafka.committed.getOrDefault(place, 0L);
  }
}
