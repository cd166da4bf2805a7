package io.taskbroker.simulation;

import io.taskbroker.activation.RecordIdentity;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

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

  /// A record in a log.
  ///
  /// @param identity without epoch and timestamp in worlds where no log is cut
  @SuppressWarnings("ArrayRecordComponent") // compared by nobody
  record Stored(RecordIdentity identity, byte[] value) {}

  /// Where the leader epochs of each partition begin.
  static final class Epochs {
    private final Map<Integer, TreeMap<Integer, Long>> starts = new HashMap<>();

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

    private void cut(int partition, long offset) {
      TreeMap<Integer, Long> of = of(partition);
      int next = of.lastKey() + 1;
      of.values().removeIf(start -> start >= offset);
      of.put(next, offset);
    }

    private TreeMap<Integer, Long> of(int partition) {
      return starts.computeIfAbsent(partition, _ -> new TreeMap<>(Map.of(0, 0L)));
    }
  }

  /// One topic.
  ///
  /// @param group null if it is not read
  record Topic(String name, List<List<Stored>> partitions, Epochs epochs, ConsumerGroup group) {
    long end(int partition) {
      return partitions.get(partition).size();
    }

    /// The end of what a partition has of an epoch and those before it.
    long end(int partition, int epoch) {
      return epochs.end(partition, epoch, end(partition));
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

  /// Appends a record; consumers see it a moment later.
  void append(String name, int partition, byte[] value) {
    Topic topic = topic(name);
    List<Stored> log = topic.partitions.get(partition);
    boolean named = plan.has(Fault.LOG_CUT);
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
