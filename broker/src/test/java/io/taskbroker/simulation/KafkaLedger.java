package io.taskbroker.simulation;

import static io.taskbroker.simulation.Violation.check;

import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Watermark;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

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

  void appended(String topic, int partition, long offset, byte[] value) {
    var origin = new Origin(topic, partition, offset);
    appended.computeIfAbsent(topic, _ -> new HashSet<>()).add(ByteBuffer.wrap(value));
    Spec spec =
        topic.equals(SimulatedKafka.RAW)
            ? Spec.raw(origin, value, SimulatedKafka.RAW + "-uuid-" + incarnation(topic))
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
              && watermark.partition().topicId().endsWith("-" + incarnation(wanted.topic));
      if (same && watermark.committed() <= wanted.offset && wanted.offset <= watermark.next()) {
        return new Beginning(wanted.topic, wanted.partition, watermark.next(), wanted.wantedAt);
      }
    }
    return wanted;
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
    check(offset >= before, "G1", () -> "the offset of " + name + " goes back: " + offset);
    boolean beginning = before < 0 && !history.watermarks.containsKey(name);
    if (beginning) {
      check(
          offset == 0 || mayStartAtEnd(topic, partition),
          "G1",
          () -> process + " skips the beginning of " + name);
      skipped.put(name, offset);
    } else {
      // Changes that were durable in a lost store may still be on their way to Kafka.
      Map<String, Long> durable = process.isAlive() ? history.watermarks : history.everDurable;
      check(
          Math.max(before, durable.getOrDefault(name, -1L)) >= offset,
          "G1",
          () -> process + " commits " + name + "@" + offset + ", which is not durable");
    }
    committed.put(name, offset);
    proven.merge(name, offset, Math::max);
  }

  /// Whether the offset of the record was ever committed, so that no other broker reads it.
  boolean isCommitted(Origin origin) {
    return proven.getOrDefault(partitionName(origin.topic(), origin.partition()), 0L)
        > origin.offset();
  }

  /// Whether the record precedes a legitimate start position.
  boolean isSkipped(Origin origin) {
    return origin.offset()
        < skipped.getOrDefault(partitionName(origin.topic(), origin.partition()), 0L);
  }
}
