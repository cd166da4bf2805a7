package io.taskbroker.simulation;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

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

  /// One topic.
  ///
  /// @param group null if it is not read
  record Topic(String name, List<List<byte[]>> partitions, ConsumerGroup group) {
    long end(int partition) {
      return partitions.get(partition).size();
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
    List<List<byte[]>> logs = new ArrayList<>();
    for (int i = 0; i < partitions; i++) {
      logs.add(new ArrayList<>());
    }
    topics.put(name, new Topic(name, logs, new ConsumerGroup(this, name, partitions)));
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

  /// Appends a record; consumers see it a moment later.
  void append(String name, int partition, byte[] value) {
    Topic topic = topic(name);
    List<byte[]> log = topic.partitions.get(partition);
    log.add(value);
    ledger.kafka.appended(name, partition, log.size() - 1, value);
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
