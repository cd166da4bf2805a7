package io.taskbroker.simulation;

import static io.taskbroker.simulation.Violation.check;
import static io.taskbroker.simulation.Violation.present;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.Ids;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import java.util.List;

/// Part of the ledger about disks: changes that become durable, and whether they may.
final class DiskLedger {
  private final Ledger ledger;

  DiskLedger(Ledger ledger) {
    this.ledger = ledger;
  }

  void applied(SimulatedProcess process, Change change, ChangeOutcome outcome) {
    BrokerHistory history = ledger.history(process);
    if (outcome == ChangeOutcome.FENCED && ledger.plan.shared()) {
      ledger.world.count("changes fenced");
      return;
    }
    if (outcome == ChangeOutcome.SUPERSEDED && change instanceof Change.Fire fire) {
      ledger.schedules.superseded(process, fire);
      return;
    }
    check(
        outcome == ChangeOutcome.APPLIED,
        "G1",
        () -> process + ": " + outcome + " of " + brief(change));
    switch (change) {
      case Change.Insert(Row row, _) -> {
        ledger.schedules.inserted(process, row);
        inserted(process, history, row);
      }
      case Change.Fire fire -> {
        ledger.schedules.fired(process, fire);
        inserted(process, history, fire.row());
      }
      case Change.Forward forward -> forwarded(process, history, forward);
      case Change.Delete delete -> deleted(process, history, delete);
      case Change.AdvanceWatermark consumed -> {
        if (ledger.kafka.exists(consumed.partition())) {
          consumed(
              process,
              history,
              consumed.partition().topic(),
              consumed.partition().partition(),
              consumed.next());
        }
      }
      case Change.OffsetCommitted c -> {
        if (ledger.kafka.exists(c.partition())) {
          String name = KafkaLedger.partitionName(c.partition().topic(), c.partition().partition());
          history.watermarks.putIfAbsent(name, c.committed());
          history.everDurable.putIfAbsent(name, c.committed());
        }
      }
      case Change.Retry retry ->
          ledger.enqueues.retried(process, Ledger.line(history, retry.key()), retry);
      case Change.UpdateStatus _,
          Change.ConfirmOffset _,
          Change.ChangeDelay _,
          Change.ChangePriority _ -> {}
    }
  }

  /// Marks everything that was in flight as unread: it must come from Kafka again, while finished
  /// tasks may.
  void lost(BrokerHistory history) {
    for (BrokerHistory.Line line : List.copyOf(history.lines.values())) {
      if (line.end == null) {
        Origin origin = line.spec.origin();
        history.forget(line);
        String name = KafkaLedger.partitionName(origin.topic(), origin.partition());
        history.watermarks.computeIfPresent(name, (_, next) -> Math.min(next, origin.offset()));
      }
    }
    history.lostAt = ledger.world.now();
  }

  private static String brief(Change change) {
    return FaultyStore.brief(change);
  }

  private void inserted(SimulatedProcess process, BrokerHistory history, Row row) {
    if (row.activation().origin().partition() < 0) {
      Spec spec = ledger.enqueues.inserted(process, history, row);
      var line =
          new BrokerHistory.Line(
              row.key(), spec, new WorkerLedger.Reading(spec.origin(), 0), ledger.world.now());
      line.home = process.broker;
      line.refused = !spec.decodable();
      line.cancelWanted = ledger.enqueues.isCancelWanted(process.broker, spec.id());
      stored(process, history, row, line, false);
      return;
    }
    Origin origin = row.activation().origin();
    byte[] payload = row.activation().payload();
    boolean behind =
        history.behind.containsKey(KafkaLedger.partitionName(origin.topic(), origin.partition()));
    KafkaLedger.Gone gone = behind ? ledger.kafka.gone(origin, payload) : null;
    Spec spec =
        gone != null
            ? gone.spec()
            : present(
                ledger.kafka.records.get(origin), "G1", () -> "a row without a record: " + origin);
    check(spec.isCarriedBy(payload), "G1", () -> "bytes differ from the record: " + origin);
    BrokerHistory.Line before = history.byOrigin.get(origin);
    check(
        before == null
            || gone != null
            || mayComeAgain(history, before)
            || isWantedAgain(before)
            || before.insertedAt <= history.lostAt,
        "G1",
        () -> process + " ingested twice: " + origin);
    String id = row.activation().id();
    for (BrokerHistory.Line other : history.of(id)) {
      // Two brokers may have one each; the owner of both runs them one after the other.
      boolean apart = ledger.plan.shared() && !isOfOnePartition(other.spec.origin(), origin);
      check(other.end != null || apart, "G4", () -> process + " has two rows of " + id);
    }
    var line =
        new BrokerHistory.Line(
            row.key(),
            spec,
            gone != null ? gone.reading() : ledger.kafka.reading(origin),
            ledger.world.now());
    stored(process, history, row, line, gone != null);
  }

  private void stored(
      SimulatedProcess process,
      BrokerHistory history,
      Row row,
      BrokerHistory.Line line,
      boolean gone) {
    String id = row.activation().id();
    long until = history.forbidden.getOrDefault(forbidden(line), 0L);
    check(
        ledger.plan.has(Fault.CLOCK_STEP) || history.lostAt >= 0 || process.broker.wall() >= until,
        "G4",
        () -> process + " accepts " + id + " before its tombstone expires");
    if (row.parkedUntil() != Row.NONE) {
      ledger.world.count("rows parked");
    }
    line.forwardedPayload = row.activation().payload();
    line.parked = row.parkedUntil() != Row.NONE;
    history.add(line, gone);
    if (row.forwardTo() != null) {
      line.targetTopic = row.forwardTo().topic();
      line.forwardedAt = ledger.world.now();
      boolean elsewhere = SimulatedKafka.ELSEWHERE.equals(line.targetTopic);
      check(
          !elsewhere || mayBeDemoted(history, line),
          "G5",
          () -> process + " demotes without a rule: " + id);
    }
  }

  /// Whether an operator requested the record again after it was stored: it may have ended
  /// meanwhile.
  private boolean isWantedAgain(BrokerHistory.Line before) {
    return before.insertedAt < ledger.kafka.appendedAt(before.spec.origin());
  }

  /// A known limit: if the store is full or refuses something, rows become durable before the
  /// watermark behind them. Rows that ended before a crash in between are read again, unless they
  /// are at-most-once; and a refused row is stored again as the original message, although the
  /// first one is still being forwarded.
  private boolean mayComeAgain(BrokerHistory history, BrokerHistory.Line before) {
    SeedPlan plan = ledger.plan;
    boolean apart =
        plan.storeLimit() > 0 || plan.has(Fault.STORE_IS_FULL) || plan.has(Fault.STORE_REFUSES);
    boolean mayRunAgain = before.deliveries == 0 || !before.spec.once();
    boolean over = before.end != null || history.rejected.contains(before.spec.origin());
    return apart && history.died && over && mayRunAgain;
  }

  private void forwarded(SimulatedProcess process, BrokerHistory history, Change.Forward forward) {
    BrokerHistory.Line line = Ledger.line(history, forward.key());
    String id = forward.id();
    byte[] payload = forward.payload();
    if (forward.status() == Status.RETRY) {
      check(
          history.wasReported(id, Status.RETRY),
          "G4",
          () -> process + " retries without a request: " + id);
      byte[] retry = present(payload, "G4", () -> "a retry without payload: " + id);
      Spec next = Spec.of(line.spec.origin(), retry);
      check(
          next.id().equals(Ids.retry(id, line.spec.attempts() + 1)),
          "G4",
          () -> "the id of a retry is not derived: " + next.id() + " of " + id);
    } else if (forward.destination().topic().equals(SimulatedKafka.ELSEWHERE)) {
      check(mayBeDemoted(history, line), "G5", () -> process + " demotes without a rule: " + id);
    } else {
      check(
          line.spec.deadLetters(), "G4", () -> process + " dead-letters against the policy: " + id);
      check(
          mayFail(process, history, line),
          "G4",
          () -> process + " dead-letters for no reason: " + id);
    }
    line.targetTopic = forward.destination().topic();
    line.forwardedAt = ledger.world.now();
    if (payload != null) {
      line.forwardedPayload = payload;
    }
  }

  private boolean mayBeDemoted(BrokerHistory history, BrokerHistory.Line line) {
    long since = ledger.kafka.appendedAt(line.spec.origin());
    return history.wasRuled(since, rules -> rules.demotes(line.spec));
  }

  /// Whether there is a reason for it to fail for good or to expire.
  private boolean mayFail(
      SimulatedProcess process, BrokerHistory history, BrokerHistory.Line line) {
    Spec spec = line.spec;
    boolean late =
        line.deliveries > 0
            && ledger.world.now() - line.lastDelivery
                >= Math.min(spec.deadline() + SimulatedBroker.GRACE, SimulatedBroker.LEASE)
                    * SimulatedWorld.MS;
    return history.wasReported(spec.id(), Status.FAILURE)
        || history.latestWall >= spec.expiresAt()
        || late
        || ledger.deaths.mayFail(line)
        || ledger.plan.has(Fault.WORKER_REFUSES)
        || (spec.once() && ambiguous(process, line))
        || !spec.decodable();
  }

  /// Whether another broker or process may have delivered it, as far as this one knows.
  private boolean ambiguous(SimulatedProcess process, BrokerHistory.Line line) {
    return process.number > 1
        || ledger.plan.brokers() > 1
        || ledger.plan.has(Fault.FREEZE)
        || !line.reading.equals(ledger.kafka.reading(line.spec.origin())) // its record is lost
        || ledger.plan.has(Fault.PARTITION_ADDED) // a rebalance may lose a commit
        || ledger.plan.has(Fault.LOG_CUT) // so may a partition that is taken again
        || ledger.workers.sends.containsKey(line.reading);
  }

  private void deleted(SimulatedProcess process, BrokerHistory history, Change.Delete delete) {
    BrokerHistory.Line line = Ledger.line(history, delete.key());
    Spec spec = line.spec;
    String id = spec.id();
    line.endedAt = ledger.world.now();
    boolean gone =
        line.targetTopic != null && ledger.kafka.isIn(line.targetTopic, line.forwardedPayload);
    boolean off = history.wasRuled(line.insertedAt, rules -> rules.kills(spec));
    boolean complete = history.wasReported(id, Status.COMPLETE);
    boolean cancelled = line.cancelWanted && line.targetTopic == null;
    if (gone) {
      line.end =
          switch (String.valueOf(line.targetTopic)) {
            case SimulatedKafka.RETRIES -> BrokerHistory.End.RETRIED;
            case SimulatedKafka.ELSEWHERE -> BrokerHistory.End.DEMOTED;
            default -> BrokerHistory.End.DEAD_LETTERED;
          };
    } else if (complete) {
      line.end = BrokerHistory.End.COMPLETED;
    } else if (line.refused) {
      line.end = BrokerHistory.End.DISCARDED; // stored again later
    } else if (off && (line.targetTopic == null || history.rejected.contains(spec.origin()))) {
      line.end = BrokerHistory.End.SWITCHED_OFF;
    } else if (cancelled) {
      line.end = BrokerHistory.End.CANCELLED;
    } else {
      check(
          line.targetTopic == null,
          "G4",
          () -> process + " deletes a forwarded row that is not in Kafka: " + id);
      check(!spec.deadLetters(), "G1", () -> process + " discards against the policy: " + id);
      check(
          mayFail(process, history, line),
          "G1",
          () -> process + " loses " + id + " of " + spec.origin());
      line.end =
          history.latestWall >= spec.expiresAt()
              ? BrokerHistory.End.EXPIRED
              : BrokerHistory.End.DISCARDED;
    }
    ledger.world.count("ended " + line.end);
    boolean remembered =
        line.home == null ? spec.derived() || spec.once() : ledger.enqueues.isRemembered(line);
    boolean mayReturn =
        line.end == BrokerHistory.End.DEAD_LETTERED
            || line.end == BrokerHistory.End.DEMOTED
            || (complete && line.targetTopic != null);
    if (remembered && !mayReturn && !line.refused) {
      check(delete.tombstoneUntil() != Row.NONE, "G4", () -> process + " forgets the id of " + id);
    }
    if (remembered && !mayReturn && line.home != null) {
      ledger.enqueues.forgotten(process, line, delete.tombstoneUntil());
    }
    if (delete.tombstoneUntil() != Row.NONE) {
      history.tombstones.put(id, delete.tombstoneUntil());
      history.forbidden.put(forbidden(line), delete.tombstoneUntil());
    }
  }

  private static boolean isOfOnePartition(Origin one, Origin other) {
    return one.topic().equals(other.topic()) && one.partition() == other.partition();
  }

  private String forbidden(BrokerHistory.Line line) {
    String id = line.spec.id();
    SimulatedBroker home = line.home;
    if (home != null) {
      return ledger.enqueues.forbidden(home, id);
    }
    Origin origin = line.spec.origin();
    return ledger.plan.shared()
        ? id + "@" + KafkaLedger.partitionName(origin.topic(), origin.partition())
        : id;
  }

  private void consumed(
      SimulatedProcess process, BrokerHistory history, String topic, int partition, long next) {
    String name = KafkaLedger.partitionName(topic, partition);
    long before = history.watermarks.getOrDefault(name, -1L);
    long cutAt = history.behind.getOrDefault(name, Long.MAX_VALUE);
    if (next > cutAt) {
      if (before < cutAt) {
        consumed(process, history, topic, partition, cutAt); // the log has lost the others
      }
      return;
    }
    long from = before;
    if (before < 0) {
      from =
          Math.max(
              ledger.kafka.committed.getOrDefault(name, 0L),
              ledger.kafka.skipped.getOrDefault(name, 0L));
    }
    if (ledger.kafka.mayStartAtEnd(topic, partition)
        && before < 0
        && !ledger.kafka.committed.containsKey(name)) {
      // The broker chooses the start: nothing is known about the partition.
      long first = next;
      for (long offset = 0; offset < next && first == next; offset++) {
        if (history.byOrigin.containsKey(new Origin(topic, partition, offset))) {
          first = offset;
        }
      }
      ledger.kafka.skipped.put(name, first);
      from = first;
    }
    for (long offset = from; offset < next; offset++) {
      var origin = new Origin(topic, partition, offset);
      check(
          isAccountedFor(history, name, origin),
          "G1",
          () -> process + " skips a record that is nowhere: " + origin);
    }
    history.watermarks.put(name, next);
    history.everDurable.put(name, next);
  }

  private boolean isAccountedFor(BrokerHistory history, String name, Origin origin) {
    Spec spec =
        present(
            ledger.kafka.records.get(origin),
            "G1",
            () -> "skips a record that never existed: " + origin);
    BrokerHistory.Line line = history.byOrigin.get(origin);
    return (line != null && line.endedAt >= ledger.kafka.appendedAt(origin))
        || ledger.isExcused(history, spec)
        || origin.offset() < ledger.kafka.committed.getOrDefault(name, 0L);
  }
}
