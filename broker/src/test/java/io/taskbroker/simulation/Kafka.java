package io.taskbroker.simulation;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A cluster: topics as lists of records, and a consumer group for each topic that is read.
final class Kafka {
  static final String TASKS = "tasks";
  static final String RETRIES = "retries";
  static final String DEAD_LETTERS = "dead-letters";

  /// What is demoted goes there; nobody reads it here.
  static final String ELSEWHERE = "elsewhere";

  final World world;
  final Plan plan;
  final Ledger ledger;
  private final Map<String, Topic> topics = new LinkedHashMap<>();

  /// One topic.
  ///
  /// @param group null if nobody reads it
  record Topic(String name, List<List<byte[]>> partitions, Group group) {
    long end(int partition) {
      return partitions.get(partition).size();
    }
  }

  Kafka(World world, Plan plan, Ledger ledger) {
    this.world = world;
    this.plan = plan;
    this.ledger = ledger;
    add(TASKS, 2);
    add(RETRIES, 1);
    add(DEAD_LETTERS, 1);
    add(ELSEWHERE, 1);
  }

  private void add(String name, int partitions) {
    List<List<byte[]>> logs = new ArrayList<>();
    for (int i = 0; i < partitions; i++) {
      logs.add(new ArrayList<>());
    }
    topics.put(name, new Topic(name, logs, new Group(this, name, partitions)));
  }

  Topic topic(String name) {
    Topic topic = topics.get(name);
    if (topic == null) {
      throw new AssertionError("No such topic: " + name);
    }
    return topic;
  }

  List<Topic> read() {
    return List.of(topic(TASKS), topic(RETRIES));
  }

  /// Takes a record; consumers see it a moment later.
  void append(String name, int partition, byte[] value) {
    Topic topic = topic(name);
    List<byte[]> log = topic.partitions.get(partition);
    log.add(value);
    ledger.appended(name, partition, log.size() - 1, value);
    world.after(world.between(World.MS / 10, 3 * World.MS), "fetchable", topic.group::wakeAll);
  }

  /// Whether everything that the groups are to read is committed.
  boolean isConsumed() {
    for (Topic topic : read()) {
      for (int i = 0; i < topic.partitions.size(); i++) {
        if (topic.end(i) > 0 && topic.group.committed(i) != topic.end(i)) {
          return false;
        }
      }
    }
    return true;
  }
}
