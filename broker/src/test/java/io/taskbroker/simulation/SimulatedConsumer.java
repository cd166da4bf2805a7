package io.taskbroker.simulation;

import io.taskbroker.activation.RecordIdentity;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.LogTruncationException;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetCommitCallback;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.jspecify.annotations.Nullable;

/// Consumer in the simulated cluster. Its calls take no time; the scheduler of its reader lets time
/// pass in between.
@SuppressWarnings("UnsynchronizedOverridesSynchronized") // single-threaded
final class SimulatedConsumer extends MockConsumer<byte[], byte[]> {
  static final int MAX_RECORDS = 10;

  final SimulatedProcess process;
  final String name;
  private final SimulatedWorld world;
  private final SimulatedKafka.Topic topic;
  private final Runnable wake;
  private final ConsumerGroup.Member member;
  private final Map<Integer, Long> positions = new HashMap<>();

  /// The leader epoch of the last record below each position, where it is known.
  private final Map<Integer, Integer> epochs = new HashMap<>();

  private final Set<Integer> paused = new HashSet<>();
  private final Set<Integer> unread = new HashSet<>();
  private final ArrayDeque<Runnable> callbacks = new ArrayDeque<>();
  private final ArrayDeque<Runnable> requests = new ArrayDeque<>();
  private ConsumerRebalanceListener listener = new NoListener();
  private boolean wakened;

  /// @param wake schedules a turn of the reader soon
  SimulatedConsumer(
      SimulatedProcess process, SimulatedKafka kafka, SimulatedKafka.Topic topic, Runnable wake) {
    super("none");
    this.process = process;
    this.name = process.broker.memberName() + "-" + topic.name();
    this.world = kafka.world;
    this.topic = topic;
    this.wake = wake;
    this.member = new ConsumerGroup.Member(this);
  }

  void wakeSoon() {
    wake.run();
  }

  void assigned(List<Integer> partitions) {
    unread.addAll(partitions);
    listener.onPartitionsAssigned(named(partitions));
  }

  void revoked(List<Integer> partitions) {
    world.count("partitions revoked");
    listener.onPartitionsRevoked(named(partitions));
  }

  void lost(List<Integer> partitions) {
    world.count("partitions lost");
    listener.onPartitionsLost(named(partitions));
  }

  private List<TopicPartition> named(List<Integer> partitions) {
    return partitions.stream().map(each -> new TopicPartition(topic.name(), each)).toList();
  }

  @Override
  public void subscribe(Collection<String> topics, ConsumerRebalanceListener listener) {
    this.listener = listener;
  }

  @Override
  public ConsumerRecords<byte[], byte[]> poll(Duration timeout) {
    for (Runnable done = callbacks.poll(); done != null; done = callbacks.poll()) {
      done.run();
    }
    topic.group().poll(member);
    if (wakened) {
      wakened = false;
      throw new WakeupException();
    }
    return fetch();
  }

  private ConsumerRecords<byte[], byte[]> fetch() {
    var records = new LinkedHashMap<TopicPartition, List<ConsumerRecord<byte[], byte[]>>>();
    var next =
        new TreeMap<TopicPartition, OffsetAndMetadata>(
            Comparator.comparingInt(TopicPartition::partition));
    member.owned.forEach(this::validate);
    int room = 1 + world.random.nextInt(MAX_RECORDS);
    for (int partition : member.owned) {
      if (paused.contains(partition)) {
        continue;
      }
      long position = positions.getOrDefault(partition, 0L);
      long end = topic.end(partition);
      var named = new TopicPartition(topic.name(), partition);
      if (unread.remove(partition)) {
        process.broker.ledger.kafka.startsReading(process, topic.name(), partition, position);
      }
      if (position > end) {
        throw new OffsetOutOfRangeException(Map.of(named, position));
      }
      List<ConsumerRecord<byte[], byte[]>> some = new ArrayList<>();
      while (position < end && some.size() < room) {
        some.add(record(partition, topic.partitions().get(partition).get((int) position)));
        position++;
      }
      if (!some.isEmpty()) {
        process.broker.ledger.kafka.looked(process, topic.name(), partition);
        positions.put(partition, position);
        some.getLast().leaderEpoch().ifPresent(last -> epochs.put(partition, last));
        records.put(named, some);
        next.put(named, new OffsetAndMetadata(position));
      }
    }
    return new Fetched(records, next);
  }

  /// Compares the epoch of the position with the log, as the client does after an election.
  private void validate(int partition) {
    long position = positions.getOrDefault(partition, 0L);
    int epoch = epochs.getOrDefault(partition, RecordIdentity.NO_EPOCH);
    long kept = topic.end(partition, epoch);
    if (!paused.contains(partition) && epoch >= 0 && kept < position) {
      var named = new TopicPartition(topic.name(), partition);
      throw new LogTruncationException(
          "The log was cut", Map.of(named, position), Map.of(named, new OffsetAndMetadata(kept)));
    }
  }

  private ConsumerRecord<byte[], byte[]> record(int partition, SimulatedKafka.Stored stored) {
    RecordIdentity identity = stored.identity();
    return new ConsumerRecord<>(
        topic.name(),
        partition,
        identity.offset(),
        identity.timestamp(),
        TimestampType.NO_TIMESTAMP_TYPE,
        ConsumerRecord.NULL_SIZE,
        ConsumerRecord.NULL_SIZE,
        new byte[0],
        stored.value(),
        new RecordHeaders(),
        identity.leaderEpoch() < 0 ? Optional.empty() : Optional.of(identity.leaderEpoch()));
  }

  /// The request outlives the process; requests of one consumer arrive in order.
  @Override
  public void commitAsync(
      Map<TopicPartition, OffsetAndMetadata> offsets, OffsetCommitCallback callback) {
    long generation = member.generation;
    if (world.diesHere()) {
      throw new Crash("before an offset commit");
    }
    requests.add(() -> {
      Exception failure = tryCommit(generation, offsets);
      if (world.diesHere() && process.isAlive()) {
        process.broker.crash("before the reply to an offset commit");
      }
      process.later(
          world.between(SimulatedWorld.MS / 5, 10 * SimulatedWorld.MS),
          "offset commit answer",
          () -> {
            callbacks.add(() -> callback.onComplete(offsets, failure));
            wake.run();
          });
    });
    world.after(
        world.between(SimulatedWorld.MS / 5, 10 * SimulatedWorld.MS),
        "offset commit",
        () -> {
          Runnable first = requests.poll();
          if (first != null) {
            first.run();
          }
        });
  }

  private @Nullable Exception tryCommit(
      long generation, Map<TopicPartition, OffsetAndMetadata> offsets) {
    if (world.happens(Fault.COMMIT_FAILS)) {
      return new TimeoutException("request lost");
    }
    try {
      topic.group().commit(member, generation, offsets);
    } catch (KafkaException e) {
      return e;
    }
    return world.happens(Fault.COMMIT_FAILS) ? new TimeoutException("reply lost") : null;
  }

  /// Lets the earlier requests of this consumer arrive: the coordinator handles those of a
  /// connection in order.
  private void awaitEarlierRequests() {
    for (Runnable before = requests.poll(); before != null; before = requests.poll()) {
      before.run();
    }
    if (!process.isAlive()) {
      throw new Crash("while the coordinator was asked");
    }
  }

  @Override
  public void commitSync(Map<TopicPartition, OffsetAndMetadata> offsets, Duration timeout) {
    awaitEarlierRequests();
    Exception failure = tryCommit(member.generation, offsets);
    if (failure instanceof KafkaException e) {
      throw e;
    }
  }

  @Override
  public Map<TopicPartition, OffsetAndMetadata> committed(
      Set<TopicPartition> partitions, Duration timeout) {
    awaitEarlierRequests();
    if (world.happens(Fault.COMMIT_FAILS)) {
      throw new TimeoutException("no reply for committed offsets");
    }
    var committed = new HashMap<TopicPartition, OffsetAndMetadata>();
    for (TopicPartition partition : partitions) {
      OffsetAndMetadata last = topic.group().lastCommit(partition.partition());
      if (last != null) {
        committed.put(
            partition, world.plan.hasNotes() ? last : new OffsetAndMetadata(last.offset()));
      }
    }
    return committed;
  }

  @Override
  public Map<TopicPartition, Long> beginningOffsets(
      Collection<TopicPartition> partitions, Duration timeout) {
    var starts = new HashMap<TopicPartition, Long>();
    partitions.forEach(partition -> starts.put(partition, 0L));
    return starts;
  }

  @Override
  public Map<TopicPartition, Long> endOffsets(
      Collection<TopicPartition> partitions, Duration timeout) {
    var ends = new HashMap<TopicPartition, Long>();
    for (TopicPartition partition : partitions) {
      ends.put(partition, topic.end(partition.partition()));
      process.broker.ledger.kafka.looked(process, topic.name(), partition.partition());
    }
    return ends;
  }

  @Override
  @SuppressWarnings("removal") // the client does the same
  public ConsumerGroupMetadata groupMetadata() {
    return new ConsumerGroupMetadata("group", (int) member.generation, name, Optional.of(name));
  }

  @Override
  public void seek(TopicPartition partition, long offset) {
    positions.put(partition.partition(), offset);
    epochs.remove(partition.partition());
  }

  @Override
  public void seek(TopicPartition partition, OffsetAndMetadata to) {
    seek(partition, to.offset());
    to.leaderEpoch().ifPresent(epoch -> epochs.put(partition.partition(), epoch));
  }

  @Override
  public void pause(Collection<TopicPartition> partitions) {
    partitions.forEach(partition -> paused.add(partition.partition()));
  }

  @Override
  public void resume(Collection<TopicPartition> partitions) {
    partitions.forEach(partition -> paused.remove(partition.partition()));
    wake.run();
  }

  @Override
  public void wakeup() {
    wakened = true;
    wake.run();
  }

  /// Leaves the group.
  void leave() {
    topic.group().leave(member);
  }

  private static final class NoListener implements ConsumerRebalanceListener {
    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {}

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {}
  }

  /// Records in a fixed order of partitions: the order of the client's own map differs between
  /// processes.
  private static final class Fetched extends ConsumerRecords<byte[], byte[]> {
    private final Map<TopicPartition, OffsetAndMetadata> next;

    Fetched(
        Map<TopicPartition, List<ConsumerRecord<byte[], byte[]>>> records,
        Map<TopicPartition, OffsetAndMetadata> next) {
      super(records, next);
      this.next = next;
    }

    @Override
    public Map<TopicPartition, OffsetAndMetadata> nextOffsets() {
      return next;
    }
  }
}
