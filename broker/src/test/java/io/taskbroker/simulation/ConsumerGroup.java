package io.taskbroker.simulation;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.FencedInstanceIdException;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.jspecify.annotations.Nullable;

/// Consumer group of one topic, with static members and the classic protocol: a rebalance revokes
/// all partitions from all members and waits for each of them before it assigns them again.
final class ConsumerGroup {
  private static final long SESSION = 6 * SimulatedWorld.SECOND;
  private static final long REBALANCE = 15 * SimulatedWorld.SECOND;

  final String topic;
  private final SimulatedKafka kafka;
  private int partitions;
  private final Map<String, Member> members = new TreeMap<>();
  private final Map<Integer, OffsetAndMetadata> committed = new LinkedHashMap<>();
  private final Map<String, List<Integer>> assignment = new LinkedHashMap<>();
  private long generation;
  private boolean preparing;
  private long preparingSince;

  /// A consumer in the group; a new object when it rejoins after it was expelled.
  static final class Member {
    final SimulatedConsumer consumer;
    long generation = -1;
    long lastSeen;
    boolean joined;
    List<Integer> owned = List.of();

    Member(SimulatedConsumer consumer) {
      this.consumer = consumer;
    }
  }

  ConsumerGroup(SimulatedKafka kafka, String topic, int partitions) {
    this.kafka = kafka;
    this.topic = topic;
    this.partitions = partitions;
    kafka.world.after(SimulatedWorld.SECOND, "sessions", this::checkSessions);
  }

  long committed(int partition) {
    OffsetAndMetadata last = committed.get(partition);
    return last == null ? -1 : last.offset();
  }

  /// The last commit with its metadata; null if there is none.
  @Nullable OffsetAndMetadata lastCommit(int partition) {
    return committed.get(partition);
  }

  /// Group handling of a poll. Calls the member's listener.
  void poll(Member member) {
    String name = member.consumer.name;
    Member current = members.get(name);
    if (current != member) {
      if (current != null && member.generation >= 0) {
        throw new FencedInstanceIdException("Another member is " + name);
      }
      if (!member.owned.isEmpty()) {
        List<Integer> lost = member.owned;
        member.owned = List.of();
        member.consumer.lost(lost);
      }
      member.generation = -1;
      member.lastSeen = kafka.world.now();
      members.put(name, member);
      // A static member that rejoins keeps its assignment.
      if (current == null || !assignment.containsKey(name)) {
        prepare();
      } else if (preparing) {
        member.joined = false;
      }
    }
    if (preparing && !member.joined) {
      List<Integer> owned = member.owned;
      if (!owned.isEmpty()) {
        member.consumer.revoked(owned);
      }
      member.owned = List.of();
      member.joined = true;
      completeIfAllJoined();
    }
    if (!preparing && members.get(name) == member && member.generation != generation) {
      member.generation = generation;
      member.owned = assignment.getOrDefault(name, List.of());
      if (!member.owned.isEmpty()) {
        member.consumer.assigned(member.owned);
      }
    }
  }

  private void prepare() {
    kafka.world.trace(() -> "group of " + topic + " rebalances");
    preparing = true;
    preparingSince = kafka.world.now();
    members
        .values()
        .forEach(member -> {
          member.joined = false;
          member.consumer.wakeSoon();
        });
  }

  private void completeIfAllJoined() {
    if (!preparing || members.isEmpty() || !members.values().stream().allMatch(m -> m.joined)) {
      return;
    }
    preparing = false;
    generation++;
    assignment.clear();
    List<String> names = List.copyOf(members.keySet());
    names.forEach(name -> assignment.put(name, new ArrayList<>()));
    for (int i = 0; i < partitions; i++) {
      List<Integer> of = assignment.get(names.get((int) ((i + generation) % names.size())));
      if (of != null) {
        of.add(i);
      }
    }
    kafka.world.trace(() -> "group of " + topic + ", generation " + generation + ": " + assignment);
    members.values().forEach(member -> member.consumer.wakeSoon());
  }

  private void checkSessions() {
    long now = kafka.world.now();
    boolean gone = false;
    for (Member member : List.copyOf(members.values())) {
      if (member.consumer.process.isResponsive()) {
        member.lastSeen = now;
      }
      boolean late = preparing && !member.joined && now - preparingSince > REBALANCE;
      if (now - member.lastSeen > SESSION || late) {
        members.remove(member.consumer.name);
        kafka.world.trace(() -> "group of " + topic + " expels " + member.consumer.name);
        gone = true;
      }
    }
    if (gone) {
      if (preparing) {
        completeIfAllJoined();
      } else if (!members.isEmpty()) {
        prepare();
      }
    }
    kafka.world.after(SimulatedWorld.SECOND, "sessions", this::checkSessions);
  }

  /// Removes all members.
  void dissolve() {
    members.clear();
    assignment.clear();
    preparing = false;
    generation++;
  }

  void forget(int partition) {
    committed.remove(partition);
  }

  /// Puts a commit of before back.
  void restore(int partition, @Nullable OffsetAndMetadata before) {
    if (before == null) {
      committed.remove(partition);
    } else {
      committed.put(partition, before);
    }
  }

  void set(int partition, long offset) {
    committed.put(partition, new OffsetAndMetadata(offset));
  }

  /// Adds a partition, which members share.
  void grow() {
    partitions++;
    if (!members.isEmpty()) {
      prepare();
    }
  }

  /// A member leaves the group.
  void leave(Member member) {
    if (members.remove(member.consumer.name, member)) {
      assignment.remove(member.consumer.name);
      if (preparing) {
        completeIfAllJoined();
      } else if (!members.isEmpty()) {
        prepare();
      }
    }
  }

  /// Commits offsets, if the member may.
  ///
  /// @param as generation of the request
  void commit(Member member, long as, Map<TopicPartition, OffsetAndMetadata> offsets) {
    Member current = members.get(member.consumer.name);
    if (current != null && current != member) {
      throw new FencedInstanceIdException("Another member is " + member.consumer.name);
    }
    if (current == null || as != generation) {
      throw new CommitFailedException();
    }
    if (preparing && member.joined) {
      throw new RebalanceInProgressException("The group is rebalancing");
    }
    offsets.forEach((named, offset) -> {
      int partition = named.partition();
      long before = committed(partition);
      committed.put(partition, offset);
      kafka.world.trace(() -> member.consumer.process + " commits metadata " + offset.metadata());
      kafka.ledger.kafka.offsetCommitted(
          member.consumer.process, topic, partition, before, offset.offset());
    });
  }

  void wakeAll() {
    members.values().forEach(member -> member.consumer.wakeSoon());
  }
}
