package io.taskbroker.simulation;

import static io.taskbroker.simulation.Violation.check;

import io.taskbroker.activation.Origin;
import io.taskbroker.activation.RecordIdentity;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Watermark;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Part of the ledger about Kafka: the records, where brokers start to read, and the offsets that
/// they commit (G1, H1, H5).
final class KafkaLedger {
  private final Ledger ledger;

  /// Records of the topics that brokers read, and all values of each topic.
  final Map<Origin, Spec> records = new LinkedHashMap<>();

  private final Map<String, Set<ByteBuffer>> appended = new HashMap<>();
  final Map<String, Long> committed = new HashMap<>();

  /// Offset committed before an operator reset it.
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

  /// Number of partitions of a topic at its first commit.
  private final Map<String, Integer> initially = new HashMap<>();

  /// Start of a partition whose offset an operator set, with the time of the request.
  private record Beginning(String topic, int partition, long offset, long wantedAt) {}

  private final Map<String, Beginning> beginnings = new HashMap<>();

  KafkaLedger(Ledger ledger) {
    this.ledger = ledger;
  }

  static String partitionName(String topic, int partition) {
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
        () -> "kafka has " + partitionName(topic, partition) + "@" + offset + " " + spec.id());
    if (!topic.equals(SimulatedKafka.DEAD_LETTERS) && !topic.equals(SimulatedKafka.ELSEWHERE)) {
      records.put(origin, spec);
      appendedAt.put(origin, ledger.world.now());
    }
  }

  /// Time of the append, or of the last reset to before the record. A row that ends between the
  /// reset and the second reading counts for both readings.
  long appendedAt(Origin origin) {
    return appendedAt.getOrDefault(origin, 0L);
  }

  /// The reading that a row inserted now belongs to; each reading may run once (G3).
  WorkerLedger.Reading reading(Origin origin) {
    return new WorkerLedger.Reading(origin, readings.getOrDefault(origin, 0));
  }

  /// Whether the partition is one of the present topic of its name: a late transaction may be about
  /// the deleted one.
  boolean exists(SourcePartition partition) {
    return partition.topicId().endsWith("-" + incarnation(partition.topic()));
  }

  private int incarnation(String topic) {
    return incarnations.getOrDefault(topic, 1);
  }

  /// An operator sets the offset of a group. It must be obeyed, unless the broker itself may have
  /// committed that offset.
  void reset(String topic, int partition, long before, long offset) {
    String name = partitionName(topic, partition);
    committed.put(name, offset);
    if (offset > before) {
      skipped.merge(name, offset, Math::max);
    }
    beginnings.put(name, new Beginning(topic, partition, offset, ledger.world.now()));
    ledger.world.count(offset < before ? "offsets set back" : "offsets advanced");
  }

  /// A process starts from its disk. An offset that its predecessor may have committed does not
  /// count as set by an operator.
  void started(SimulatedBroker broker) {
    beginnings.replaceAll((_, beginning) -> beginning(broker, beginning));
  }

  private Beginning beginning(SimulatedBroker broker, Beginning wanted) {
    for (Watermark watermark : broker.disk.watermarks().values()) {
      boolean same =
          watermark.partition().topic().equals(wanted.topic)
              && watermark.partition().partition() == wanted.partition
              && exists(watermark.partition());
      if (same && watermark.committed() <= wanted.offset && wanted.offset <= watermark.next()) {
        return new Beginning(wanted.topic, wanted.partition, watermark.next(), wanted.wantedAt);
      }
    }
    return wanted;
  }

  /// A log was cut there. What is stored of the lost records goes on, and new ones at their offsets
  /// are others. A broker goes by the log that it read until it looks for a position again.
  void cut(String topic, int partition, long offset) {
    String name = partitionName(topic, partition);
    long provenTo = proven.getOrDefault(name, 0L);
    for (Origin origin : List.copyOf(records.keySet())) {
      if (isIn(origin, topic, partition) && origin.offset() >= offset) {
        var lost = new Gone(Objects.requireNonNull(records.remove(origin)), reading(origin));
        gone.computeIfAbsent(origin, _ -> new ArrayList<>()).add(lost);
        if (origin.offset() < provenTo) {
          provenGone.add(lost.reading());
        }
        readings.merge(origin, 1, Integer::sum);
        ledger.world.count("records cut off");
      }
    }
    for (Map<String, Long> offsets : List.of(committed, proven, skipped)) {
      offsets.computeIfPresent(name, (_, to) -> Math.min(to, offset));
    }
    for (BrokerHistory history : ledger.books.values()) {
      history.cut(topic, partition, offset);
    }
    ledger.world.count("logs cut");
  }

  /// The committed offset went back with the volume.
  ///
  /// @param offset negative for none
  void offsetRestored(String topic, int partition, long offset) {
    String name = partitionName(topic, partition);
    if (offset < 0) {
      committed.remove(name);
    } else {
      committed.put(name, offset);
    }
  }

  static boolean isIn(Origin origin, String topic, int partition) {
    return origin.topic().equals(topic) && origin.partition() == partition;
  }

  /// A broker asks for the end of a log, to decide where to read on, or reads what it has now.
  void looked(SimulatedProcess process, String topic, int partition) {
    BrokerHistory history = ledger.history(process);
    String name = partitionName(topic, partition);
    if (history.behind.remove(name) != null) {
      history.noticedBy.put(name, process);
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

  /// A topic was deleted and recreated: the old records no longer count.
  void recreated(String topic, int partitions) {
    incarnations.put(topic, incarnation(topic) + 1);
    initially.remove(topic);
    records.keySet().removeIf(origin -> origin.topic().equals(topic));
    appendedAt.keySet().removeIf(origin -> origin.topic().equals(topic));
    ledger.workers.sends.keySet().removeIf(each -> each.origin().topic().equals(topic));
    for (int i = 0; i < partitions; i++) {
      String name = partitionName(topic, i);
      committed.remove(name);
      proven.remove(name);
      skipped.remove(name);
      ledger
          .books
          .values()
          .forEach(history -> {
            history.watermarks.remove(name);
            history.everDurable.remove(name);
          });
      beginnings.remove(name);
      if (!mayStartAtEnd(topic, i)) {
        beginnings.put(name, new Beginning(topic, i, 0, ledger.world.now()));
      }
    }
    ledger
        .books
        .values()
        .forEach(
            history -> history.byOrigin.keySet().removeIf(origin -> origin.topic().equals(topic)));
    ledger.world.count("topics recreated");
  }

  /// A broker starts to read a partition.
  void startsReading(SimulatedProcess process, String topic, int partition, long position) {
    String name = partitionName(topic, partition);
    Beginning expected = beginnings.remove(name);
    if (expected == null) {
      return;
    }
    check(
        expected.offset == position,
        "G1",
        () -> process + " starts " + name + " at " + position + " instead of " + expected.offset);
    records.keySet().stream()
        .filter(origin -> origin.topic().equals(topic) && origin.partition() == partition)
        .filter(origin -> origin.offset() >= position)
        .forEach(origin -> {
          appendedAt.merge(origin, expected.wantedAt, Math::max);
          readings.merge(origin, 1, Integer::sum);
          ledger.world.count("records due again");
        });
  }

  /// Whether the policy `latest` for unknown topics may apply here: a partition added later may
  /// already hold records (H5).
  boolean mayStartAtEnd(String topic, int partition) {
    return ledger.plan.latest()
        && topic.equals(SimulatedKafka.TASKS)
        && partition < initially.getOrDefault(topic, Integer.MAX_VALUE);
  }

  /// Whether a topic has or had a record with these bytes.
  boolean isIn(String topic, byte[] value) {
    return appended.getOrDefault(topic, Set.of()).contains(ByteBuffer.wrap(value));
  }

  void offsetCommitted(
      SimulatedProcess process, String topic, int partition, long before, long offset) {
    BrokerHistory history = ledger.history(process);
    String name = partitionName(topic, partition);
    ledger.world.trace(() -> process + " commits offset " + name + "@" + offset);
    initially.computeIfAbsent(topic, _ -> process.broker.kafka.topic(topic).partitions().size());
    Long cutAt = history.behind.get(name);
    if (cutAt != null) {
      // Of records that the log still has, whatever else was consumed.
      committed.merge(name, Math.min(offset, cutAt), Math::max);
      proven.merge(name, Math.min(offset, cutAt), Math::max);
      gone.forEach((origin, each) -> {
        if (isIn(origin, topic, partition) && origin.offset() < offset) {
          each.forEach(lost -> provenGone.add(lost.reading));
        }
      });
      return;
    }
    long least = Math.min(before, committed.getOrDefault(name, before)); // the log may be cut
    check(offset >= least, "G1", () -> "the offset of " + name + " goes back: " + offset);
    boolean beginning = before < 0 && !history.watermarks.containsKey(name);
    if (beginning) {
      check(
          offset == 0 || mayStartAtEnd(topic, partition),
          "G1",
          () -> process + " skips the beginning of " + name);
      skipped.put(name, offset);
    } else {
      // Changes that were durable in a lost store may still be on their way to Kafka.
      Map<String, Long> durable =
          process.isAlive() && !ledger.plan.has(Fault.FAILOVER)
              ? history.watermarks
              : history.everDurable;
      check(
          Math.max(least, durable.getOrDefault(name, -1L)) >= offset,
          "G1",
          () -> process + " commits " + name + "@" + offset + ", which is not durable");
    }
    committed.put(name, offset);
    proven.merge(name, offset, Math::max);
  }

  /// Whether the offset of the record was ever committed, so that no other broker reads it.
  ///
  /// A known limit: a parked row of a lost record may be confirmed by the new one at its offset, in
  /// a process that did not notice the loss itself.
  boolean isCommitted(SimulatedProcess process, BrokerHistory.Line line) {
    Origin origin = line.spec.origin();
    if (!line.reading.equals(reading(origin)) && ledger.plan.cutsLogs()) {
      String name = partitionName(origin.topic(), origin.partition());
      boolean forgotten = line.parked && ledger.history(process).noticedBy.get(name) != process;
      return forgotten || provenGone.contains(line.reading);
    }
    return proven.getOrDefault(partitionName(origin.topic(), origin.partition()), 0L)
        > origin.offset();
  }

  /// Whether the record precedes a legitimate start position.
  boolean isSkipped(Origin origin) {
    return origin.offset()
        < skipped.getOrDefault(partitionName(origin.topic(), origin.partition()), 0L);
  }
}
