package io.taskbroker.simulation;

import static io.taskbroker.simulation.Violation.check;

import io.taskbroker.activation.Origin;
import io.taskbroker.activation.RecordIdentity;
import io.taskbroker.activation.Watermark;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The part of the ledger that is about Kafka: which records there are, where brokers begin to read
/// them, and which offsets they commit (G1, H1, H5).
final class KafkaLedger {
  private final Ledger ledger;

  /// What is in the topics that brokers read, and all values of each topic.
  final Map<Origin, Spec> records = new LinkedHashMap<>();

  private final Map<String, Set<ByteBuffer>> appended = new HashMap<>();
  final Map<String, Long> committed = new HashMap<>();

  /// Up to where offsets were committed before an operator set them back.
  private final Map<String, Long> proven = new HashMap<>();

  final Map<String, Long> skipped = new HashMap<>();
  private final Map<Origin, Long> appendedAt = new HashMap<>();

  /// How often an operator had a record read again.
  private final Map<Origin, Integer> readings = new HashMap<>();

  /// A record that the log has lost.
  record Gone(Spec spec, WorkerLedger.Reading reading) {}

  private final Map<Origin, List<Gone>> gone = new HashMap<>();

  /// Lost records whose offset was committed while the log had them, or by who did not know better.
  private final Set<WorkerLedger.Reading> provenGone = new HashSet<>();

  private final Map<String, Integer> incarnations = new HashMap<>();

  /// How many partitions topics had when something of them was first committed.
  private final Map<String, Integer> initially = new HashMap<>();

  /// Where a partition begins whose offset an operator set, and when that was.
  private record Beginning(String topic, int partition, long offset, long wantedAt) {}

  private final Map<String, Beginning> beginnings = new HashMap<>();

  KafkaLedger(Ledger ledger) {
    this.ledger = ledger;
  }

  static String place(String topic, int partition) {
    return topic + "-" + partition;
  }

  void appended(String topic, int partition, RecordIdentity identity, byte[] value) {
    long offset = identity.offset();
    var origin = new Origin(topic, partition, offset);
    appended.computeIfAbsent(topic, _ -> new HashSet<>()).add(ByteBuffer.wrap(value));
    Spec spec =
        topic.equals(SimulatedKafka.RAW)
            ? Spec.raw(origin, value, SimulatedKafka.RAW + "-uuid-" + incarnation(topic), identity)
            : Spec.of(origin, value);
    ledger.world.count("records in " + topic);
    ledger.world.trace(
        () -> "kafka has " + place(topic, partition) + "@" + offset + " " + spec.id());
    if (!topic.equals(SimulatedKafka.DEAD_LETTERS) && !topic.equals(SimulatedKafka.ELSEWHERE)) {
      records.put(origin, spec);
      appendedAt.put(origin, ledger.world.now());
    }
  }

  /// When the record came into Kafka, or when an operator last set the offset back to before it. A
  /// row of it that ends between that moment and the second reading stands for both.
  long appendedAt(Origin origin) {
    return appendedAt.getOrDefault(origin, 0L);
  }

  /// The reading of a record that a row comes from which is inserted now: each may run once (G3).
  WorkerLedger.Reading reading(Origin origin) {
    return new WorkerLedger.Reading(origin, readings.getOrDefault(origin, 0));
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
    beginnings.put(place, new Beginning(topic, partition, offset, ledger.world.now()));
    ledger.world.count(offset < before ? "offsets set back" : "offsets set forth");
  }

  /// A process reads from its disk where it left off. An offset that the one before it may have
  /// committed itself is none that an operator set.
  void started(SimulatedBroker broker) {
    beginnings.replaceAll((_, beginning) -> beginning(broker, beginning));
  }

  private Beginning beginning(SimulatedBroker broker, Beginning wanted) {
    for (Watermark mark : broker.disk.watermarks().values()) {
      boolean same =
          mark.partition().topic().equals(wanted.topic)
              && mark.partition().partition() == wanted.partition
              && mark.partition().topicId().endsWith("-" + incarnation(wanted.topic));
      if (same && mark.committed() <= wanted.offset && wanted.offset <= mark.next()) {
        return new Beginning(wanted.topic, wanted.partition, mark.next(), wanted.wantedAt);
      }
    }
    return wanted;
  }

  /// A log was cut there. What is stored of the lost records goes on, and new ones at their offsets
  /// are others. A broker goes by the log that it read until it looks for a position again.
  void cut(String topic, int partition, long offset) {
    String place = place(topic, partition);
    long provenTo = proven.getOrDefault(place, 0L);
    for (Origin origin : List.copyOf(records.keySet())) {
      if (isIn(origin, topic, partition) && origin.offset() >= offset) {
        var lost = new Gone(records.remove(origin), reading(origin));
        gone.computeIfAbsent(origin, _ -> new ArrayList<>()).add(lost);
        if (origin.offset() < provenTo) {
          provenGone.add(lost.reading());
        }
        readings.merge(origin, 1, Integer::sum);
        ledger.world.count("records cut off");
      }
    }
    for (Map<String, Long> offsets : List.of(committed, proven, skipped)) {
      offsets.computeIfPresent(place, (_, to) -> Math.min(to, offset));
    }
    for (BrokerHistory book : ledger.books.values()) {
      book.cut(topic, partition, offset);
    }
    ledger.world.count("logs cut");
  }

  private static boolean isIn(Origin origin, String topic, int partition) {
    return origin.topic().equals(topic) && origin.partition() == partition;
  }

  /// A broker asks for the end of a log, to decide where to read on, or reads what it has now.
  void looked(BrokerRun run, String topic, int partition) {
    if (ledger.book(run).behind.remove(place(topic, partition))) {
      ledger.world.count("logs found cut");
    }
  }

  /// The lost record with these bytes; null if there is none.
  @Nullable Gone gone(Origin origin, byte[] payload) {
    return gone.getOrDefault(origin, List.of()).stream()
        .filter(each -> each.spec.isCarriedBy(payload))
        .findFirst()
        .orElse(null);
  }

  /// A topic was deleted and made anew: what was in the old one is over.
  void madeAnew(String topic, int partitions) {
    incarnations.put(topic, incarnation(topic) + 1);
    initially.remove(topic);
    records.keySet().removeIf(origin -> origin.topic().equals(topic));
    appendedAt.keySet().removeIf(origin -> origin.topic().equals(topic));
    ledger.workers.sends.keySet().removeIf(each -> each.origin().topic().equals(topic));
    for (int i = 0; i < partitions; i++) {
      String place = place(topic, i);
      committed.remove(place);
      proven.remove(place);
      skipped.remove(place);
      ledger
          .books
          .values()
          .forEach(book -> {
            book.watermarks.remove(place);
            book.everDurable.remove(place);
          });
      beginnings.remove(place);
      if (!mayBeginAtItsEnd(topic, i)) {
        beginnings.put(place, new Beginning(topic, i, 0, ledger.world.now()));
      }
    }
    ledger
        .books
        .values()
        .forEach(book -> book.byOrigin.keySet().removeIf(origin -> origin.topic().equals(topic)));
    ledger.world.count("topics made anew");
  }

  /// A broker begins to read a partition.
  void begins(BrokerRun run, String topic, int partition, long position) {
    String place = place(topic, partition);
    Beginning expected = beginnings.remove(place);
    if (expected == null) {
      return;
    }
    check(
        expected.offset == position,
        "G1",
        () -> run + " begins " + place + " at " + position + " and not at " + expected.offset);
    records.keySet().stream()
        .filter(origin -> origin.topic().equals(topic) && origin.partition() == partition)
        .filter(origin -> origin.offset() >= position)
        .forEach(origin -> {
          appendedAt.merge(origin, expected.wantedAt, Math::max);
          readings.merge(origin, 1, Integer::sum);
          ledger.world.count("records to be read again");
        });
  }

  /// Whether the policy for topics of which nothing is known may be `latest` here: a partition that
  /// was added later may hold records already (H5).
  boolean mayBeginAtItsEnd(String topic, int partition) {
    return ledger.plan.latest()
        && topic.equals(SimulatedKafka.TASKS)
        && partition < initially.getOrDefault(topic, Integer.MAX_VALUE);
  }

  /// Whether a topic has, or had, these bytes.
  boolean isIn(String topic, byte[] value) {
    return appended.getOrDefault(topic, Set.of()).contains(ByteBuffer.wrap(value));
  }

  void offsetCommitted(BrokerRun run, String topic, int partition, long before, long offset) {
    BrokerHistory book = ledger.book(run);
    String place = place(topic, partition);
    ledger.world.trace(() -> run + " commits offset " + place + "@" + offset);
    initially.computeIfAbsent(topic, _ -> run.broker.kafka.topic(topic).partitions().size());
    if (book.behind.contains(place)) {
      gone.forEach((origin, each) -> {
        if (isIn(origin, topic, partition) && origin.offset() < offset) {
          each.forEach(lost -> provenGone.add(lost.reading));
        }
      });
      return;
    }
    long least = Math.min(before, committed.getOrDefault(place, before)); // the log may be cut
    check(offset >= least, "G1", () -> "the offset of " + place + " goes back: " + offset);
    boolean beginning = before < 0 && !book.watermarks.containsKey(place);
    if (beginning) {
      check(
          offset == 0 || mayBeginAtItsEnd(topic, partition),
          "G1",
          () -> run + " skips the beginning of " + place);
      skipped.put(place, offset);
    } else {
      // What was durable in a store that was lost may be on its way to Kafka still.
      Map<String, Long> marks = run.isAlive() ? book.watermarks : book.everDurable;
      check(
          Math.max(least, marks.getOrDefault(place, -1L)) >= offset,
          "G1",
          () -> run + " commits " + place + "@" + offset + ", which is not durable");
    }
    committed.put(place, offset);
    proven.merge(place, offset, Math::max);
  }

  /// Whether the offset of the record was ever committed, so that nobody else reads it.
  boolean isCommitted(BrokerHistory.Line line) {
    Origin origin = line.spec.origin();
    if (!line.reading.equals(reading(origin)) && ledger.plan.has(Fault.LOG_CUT)) {
      return provenGone.contains(line.reading);
    }
    return proven.getOrDefault(place(origin.topic(), origin.partition()), 0L) > origin.offset();
  }

  /// Whether the record is before where a broker rightly began.
  boolean isSkipped(Origin origin) {
    return origin.offset() < skipped.getOrDefault(place(origin.topic(), origin.partition()), 0L);
  }
}
