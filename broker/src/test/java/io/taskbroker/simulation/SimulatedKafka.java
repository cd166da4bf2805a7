package io.taskbroker.simulation;

import io.taskbroker.activation.RecordIdentity;
import io.taskbroker.ingest.SteppedReader;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.jspecify.annotations.Nullable;

/// Simulated cluster: topics as lists of records, and a consumer group per topic that is read.
final class SimulatedKafka {
  static final String TASKS = "tasks";
  static final String RETRIES = "retries";
  static final String DEAD_LETTERS = "dead-letters";

  /// Initial number of partitions of the topic of tasks.
  static final int PARTITIONS = 2;

  /// Topic whose records are the arguments of a task instead of activations.
  static final String RAW = "raw";

  /// Target topic of demotions; not read here.
  static final String ELSEWHERE = "elsewhere";

  final SimulatedWorld world;
  final SeedPlan plan;
  final Ledger ledger;
  private final Map<String, Topic> topics = new LinkedHashMap<>();
  private final Map<String, Integer> incarnations = new LinkedHashMap<>();
  private final List<Copy> volume = new ArrayList<>();

  /// A record in a log.
  ///
  /// @param identity without epoch and timestamp in worlds where no log is cut
  @SuppressWarnings("ArrayRecordComponent") // compared by nobody
  record Stored(RecordIdentity identity, byte[] value) {}

  /// Where the leader epochs of each partition begin.
  static final class Epochs {
    private final Map<Integer, NavigableMap<Integer, Long>> starts = new HashMap<>();

    int current(int partition) {
      return of(partition).lastKey();
    }

    /// The end of what the log has of an epoch and those before it.
    ///
    /// @param end that of the log
    long end(int partition, int epoch, long end) {
      Map.Entry<Integer, Long> next = of(partition).higherEntry(epoch);
      return next == null ? end : next.getValue();
    }

    /// The epochs of a partition as they were.
    private void set(int partition, Map<Integer, Long> before) {
      NavigableMap<Integer, Long> of = of(partition);
      of.clear();
      of.putAll(before);
    }

    private void cut(int partition, long offset) {
      NavigableMap<Integer, Long> of = of(partition);
      int next = of.lastKey() + 1;
      of.values().removeIf(start -> start >= offset);
      of.put(next, offset);
    }

    NavigableMap<Integer, Long> of(int partition) {
      return starts.computeIfAbsent(partition, _ -> new TreeMap<>(Map.of(0, 0L)));
    }
  }

  /// One topic.
  ///
  /// @param group null if it is not read
  record Topic(String name, List<List<Stored>> partitions, Epochs epochs, ConsumerGroup group)
      implements SteppedReader.Log {
    @Override
    public long end(int partition) {
      return partitions.get(partition).size();
    }

    @Override
    public long end(int partition, int epoch) {
      return epochs.end(partition, epoch, end(partition));
    }

    @Override
    public int epoch(int partition) {
      return epochs.current(partition);
    }

    @Override
    public @Nullable RecordIdentity record(int partition, long offset) {
      return offset < end(partition) ? partitions.get(partition).get((int) offset).identity : null;
    }

    @Override
    public long firstAfter(int partition, long timestamp) {
      return partitions.get(partition).stream()
          .filter(stored -> stored.identity.timestamp() > timestamp)
          .mapToLong(stored -> stored.identity.offset())
          .findFirst()
          .orElse(-1);
    }
  }

  SimulatedKafka(SimulatedWorld world, SeedPlan plan, Ledger ledger) {
    this.world = world;
    this.plan = plan;
    this.ledger = ledger;
    add(TASKS, PARTITIONS);
    add(RETRIES, 1);
    add(DEAD_LETTERS, 1);
    add(ELSEWHERE, 1);
    add(RAW, 1);
  }

  private void add(String name, int partitions) {
    List<List<Stored>> logs = new ArrayList<>();
    for (int i = 0; i < partitions; i++) {
      logs.add(new ArrayList<>());
    }
    topics.put(
        name, new Topic(name, logs, new Epochs(), new ConsumerGroup(this, name, partitions)));
    incarnations.put(name, 1);
  }

  Topic topic(String name) {
    Topic topic = topics.get(name);
    if (topic == null) {
      throw new AssertionError("No such topic: " + name);
    }
    return topic;
  }

  List<Topic> read() {
    return plan.raw()
        ? List.of(topic(TASKS), topic(RETRIES), topic(RAW))
        : List.of(topic(TASKS), topic(RETRIES));
  }

  /// The last commits of all partitions that are read.
  List<OffsetAndMetadata> lastCommits() {
    List<OffsetAndMetadata> commits = new ArrayList<>();
    for (Topic topic : read()) {
      for (int i = 0; i < topic.partitions.size(); i++) {
        OffsetAndMetadata commit = topic.group.lastCommit(i);
        if (commit != null) {
          commits.add(commit);
        }
      }
    }
    return commits;
  }

  /// The UUID of a topic.
  String id(String name) {
    return name + "-uuid-" + incarnations.get(name);
  }

  /// Deletes a topic that is read, and recreates it under the same name.
  void recreate(Topic topic) {
    world.trace(() -> topic.name + " is recreated");
    incarnations.merge(topic.name, 1, Integer::sum);
    topic.partitions.forEach(List::clear);
    for (int i = 0; i < topic.partitions.size(); i++) {
      topic.group.forget(i);
    }
    topic.group.dissolve();
    ledger.kafka.recreated(topic.name, topic.partitions.size());
  }

  /// Adds a partition to a topic.
  void addPartition(Topic topic) {
    world.trace(() -> topic.name + " has one more partition than " + topic.partitions.size());
    topic.partitions.add(new ArrayList<>());
    topic.group.grow();
  }

  /// Sets the offset of a group without members.
  void reset(Topic topic, int partition, long offset) {
    long before = topic.group.committed(partition);
    world.trace(() ->
        "the offset of "
            + topic.name
            + "-"
            + partition
            + " is set from "
            + before
            + " to "
            + offset);
    topic.group.dissolve();
    topic.group.set(partition, offset);
    ledger.kafka.reset(topic.name, partition, before, offset);
  }

  /// A leader is elected that lacks the last records: new ones take their offsets.
  void cut(Topic topic, int partition, long offset) {
    world.trace(() -> "the log of " + topic.name + "-" + partition + " is cut at " + offset);
    List<Stored> log = topic.partitions.get(partition);
    log.subList((int) offset, log.size()).clear();
    topic.epochs.cut(partition, offset);
    ledger.kafka.cut(topic.name, partition, offset);
    topic.group.wakeAll();
  }

  /// Whether there is a snapshot of the volume that was not put back yet.
  boolean hasSnapshot() {
    return !volume.isEmpty();
  }

  /// Takes a snapshot of the volume; then leaders may be elected, which lose nothing.
  void takeSnapshot() {
    world.trace(() -> "Kafka's volume is copied");
    for (Topic topic : topics.values()) {
      for (int i = 0; i < topic.partitions.size(); i++) {
        volume.add(
            new Copy(
                topic,
                i,
                List.copyOf(topic.partitions.get(i)),
                Map.copyOf(topic.epochs.of(i)),
                topic.group.lastCommit(i)));
        if (world.random.nextInt(3) > 0) {
          topic.epochs.cut(i, topic.end(i));
        }
      }
    }
  }

  /// Puts the snapshot back, offsets and epochs included, while no broker runs.
  void restoreSnapshot() {
    world.trace(() -> "Kafka's volume is put back");
    world.count("volumes restored");
    for (Copy copy : volume) {
      Topic topic = copy.topic;
      int partition = copy.partition;
      List<Stored> log = topic.partitions.get(partition);
      if (copy.log.size() < log.size()) {
        ledger.kafka.cut(topic.name, partition, copy.log.size());
      }
      log.clear();
      log.addAll(copy.log);
      topic.epochs.set(partition, copy.epochs);
      topic.epochs.cut(partition, log.size());
      topic.group.dissolve();
      topic.group.restore(partition, copy.committed);
      ledger.kafka.offsetRestored(topic.name, partition, topic.group.committed(partition));
    }
    volume.clear();
  }

  /// Copy of one partition.
  private record Copy(
      Topic topic,
      int partition,
      List<Stored> log,
      Map<Integer, Long> epochs,
      @Nullable OffsetAndMetadata committed) {}

  /// Appends a record; consumers see it a moment later.
  void append(String name, int partition, byte[] value) {
    Topic topic = topic(name);
    List<Stored> log = topic.partitions.get(partition);
    boolean named = plan.cutsLogs();
    var identity =
        new RecordIdentity(
            log.size(),
            named ? topic.epochs.current(partition) : RecordIdentity.NO_EPOCH,
            named ? world.wall() : -1);
    log.add(new Stored(identity, value));
    ledger.kafka.appended(name, partition, identity, value);
    world.after(
        world.between(SimulatedWorld.MS / 10, 3 * SimulatedWorld.MS),
        "fetchable",
        topic.group::wakeAll);
  }

  /// Whether the groups have committed everything.
  boolean isConsumed() {
    return read().stream().allMatch(this::isConsumed);
  }

  /// Whether the group of the topic has committed everything.
  boolean isConsumed(Topic topic) {
    for (int i = 0; i < topic.partitions.size(); i++) {
      if (topic.end(i) > 0 && topic.group.committed(i) != topic.end(i)) {
        return false;
      }
    }
    return true;
  }
}
