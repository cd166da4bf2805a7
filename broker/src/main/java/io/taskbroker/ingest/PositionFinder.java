package io.taskbroker.ingest;

import io.taskbroker.activation.RecordIdentity;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Watermark;
import io.taskbroker.ingest.LogProbe.Cut;
import io.taskbroker.ingest.fetch.FetchLimits;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.DescribeClusterOptions;
import org.apache.kafka.clients.admin.DescribeTopicsOptions;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Asks Kafka, the store and the ledgers what [StartingOffsets] needs to know of the partitions of
/// one topic. Every question is bounded in time and fails by a [KafkaException]. Used by the
/// reader's thread only.
final class PositionFinder {
  private static final Logger log = LoggerFactory.getLogger(PositionFinder.class);
  private static final int TIMEOUT_MILLIS = 3000;
  private static final Duration TIMEOUT = Duration.ofMillis(TIMEOUT_MILLIS);

  private final TopicSource source;
  private final Consumer<byte[], byte[]> consumer;
  private final Supplier<Topic> topics;
  private final PartitionOffsets ledgers;
  private final OffsetMetadataFormat notes;
  private final PartitionOwnership custody;
  private final LogProbe probe;

  /// How far partitions were consumed whose store went back, until they are begun.
  private final Map<SourcePartition, Long> reached = new HashMap<>();

  PositionFinder(
      TopicSource source,
      Consumer<byte[], byte[]> consumer,
      Admin admin,
      PartitionOffsets ledgers,
      OffsetMetadataFormat notes,
      PartitionOwnership custody,
      FetchLimits limits) {
    this(
        source,
        consumer,
        () -> ask(admin, source.topic()),
        ledgers,
        notes,
        custody,
        new KafkaLogProbe(source, admin, limits));
  }

  /// @param topics describes the topic as it is now
  /// @param probe checks that its partitions have the records that were read
  PositionFinder(
      TopicSource source,
      Consumer<byte[], byte[]> consumer,
      Supplier<Topic> topics,
      PartitionOffsets ledgers,
      OffsetMetadataFormat notes,
      PartitionOwnership custody,
      LogProbe probe) {
    this.probe = probe;
    this.source = source;
    this.consumer = consumer;
    this.topics = topics;
    this.ledgers = ledgers;
    this.notes = notes;
    this.custody = custody;
  }

  /// The topic as it is now: asked anew every time, as it may have been deleted and made again.
  Topic topic() {
    return topics.get();
  }

  private static Topic ask(Admin admin, String name) {
    KafkaFuture<String> cluster =
        admin.describeCluster(new DescribeClusterOptions().timeoutMs(TIMEOUT_MILLIS)).clusterId();
    KafkaFuture<TopicDescription> topic =
        Objects.requireNonNull(
            admin
                .describeTopics(
                    List.of(name), new DescribeTopicsOptions().timeoutMs(TIMEOUT_MILLIS))
                .topicNameValues()
                .get(name));
    TopicDescription description = answer(topic);
    return new Topic(
        answer(cluster), description.topicId().toString(), description.partitions().size());
  }

  /// To be asked before partitions are taken that the engine still drains: rows that move must
  /// leave it before they come back.
  ///
  /// @throws PartitionOwnership.Unavailable if they must not be taken yet
  void takeUndrained(List<String> partitions) {
    if (custody.moves()) {
      throw new PartitionOwnership.Unavailable(
          "the engine still drains what it had of " + partitions);
    }
    log.warn("Takes {} while the engine still drains what it had of them", partitions);
  }

  /// Whether the engine is told of rows when a partition is taken.
  boolean rowsMove() {
    return custody.moves();
  }

  /// Takes the partitions into custody.
  ///
  /// @return those that it was given: all, but for what a later owner has
  /// @throws PartitionOwnership.Unavailable if the store does not answer; it may have given some
  Set<TopicPartition> take(
      Topic topic,
      Collection<TopicPartition> partitions,
      Map<TopicPartition, OffsetAndMetadata> committed) {
    int generation = consumer.groupMetadata().generationId();
    var taken = new HashSet<TopicPartition>();
    for (TopicPartition partition : partitions) {
      SourcePartition named = named(topic, partition);
      Optional<PartitionOwnership.Taken> stored =
          custody.take(named, generation, noted(topic, committed.get(partition)));
      if (stored.isPresent()) {
        ledgers.remember(stored.get().watermarks());
        reached.merge(named, stored.get().reached(), Math::max);
        taken.add(partition);
      } else {
        log.warn(
            "Another broker got {}-{} in a later rebalance: waits for the next",
            named.topic(),
            named.partition());
      }
    }
    return taken;
  }

  /// What this store noted along with a committed offset; null if it noted nothing.
  private PartitionOwnership.@Nullable Noted noted(
      Topic topic, @Nullable OffsetAndMetadata committed) {
    OffsetMetadata note = committed == null ? null : notes.own(committed, topic.id);
    return committed == null || note == null
        ? null
        : new PartitionOwnership.Noted(committed.offset(), note.position());
  }

  /// The partition is begun: what was known of its past is told.
  void begun(SourcePartition partition) {
    reached.remove(partition);
  }

  /// Whether what is in flight moves with partitions.
  boolean movesRows() {
    return custody.moves();
  }

  /// Gives partitions up.
  ///
  /// @param drained whether the engine has nothing of them any more
  void release(Collection<SourcePartition> partitions, boolean drained) {
    try {
      partitions.forEach(partition -> custody.release(partition, drained));
    } catch (PartitionOwnership.Unavailable e) {
      log.warn("Gives partitions up without telling the store: {}", e.getMessage());
    }
  }

  /// The committed offsets of the group, of all partitions of the topic that have one.
  Map<TopicPartition, OffsetAndMetadata> committed(
      Topic topic, Collection<TopicPartition> partitions) {
    var all =
        IntStream.range(0, topic.partitions)
            .mapToObj(i -> new TopicPartition(source.topic(), i))
            .collect(Collectors.toSet());
    all.addAll(partitions);
    var committed = new HashMap<TopicPartition, OffsetAndMetadata>();
    consumer
        .committed(all, TIMEOUT)
        .forEach((partition, offset) -> {
          if (offset != null) {
            committed.put(partition, offset);
          }
        });
    return committed;
  }

  /// Where to begin each of the partitions.
  ///
  /// @param committed what is committed of the topic's partitions
  Map<TopicPartition, Found> find(
      Topic topic,
      Collection<TopicPartition> partitions,
      Map<TopicPartition, OffsetAndMetadata> committed) {
    Map<TopicPartition, Long> starts = consumer.beginningOffsets(partitions, TIMEOUT);
    Map<TopicPartition, Long> ends = consumer.endOffsets(partitions, TIMEOUT);

    var stored = new HashMap<TopicPartition, RecordIdentity>();
    var noted = new HashMap<TopicPartition, RecordIdentity>();
    for (TopicPartition partition : partitions) {
      Watermark mark = ledgers.watermark(named(topic, partition));
      RecordIdentity read = mark == null ? null : mark.last();
      if (read != null) {
        stored.put(partition, read);
      }
      OffsetAndMetadata offset = holding(topic, committed.get(partition));
      RecordIdentity below = offset == null ? null : OffsetMetadataFormat.last(offset);
      if (below != null && !below.equals(read)) {
        noted.put(partition, below);
      }
    }
    Map<TopicPartition, Cut> storedCuts = probe.check(stored);
    Map<TopicPartition, Cut> notedCuts = probe.check(noted);

    var found = new HashMap<TopicPartition, Found>();
    for (TopicPartition partition : partitions) {
      SourcePartition named = named(topic, partition);
      OffsetAndMetadata offset = holding(topic, committed.get(partition));
      long committedOffset = offset == null ? Watermark.NONE : offset.offset();
      Cut markCut = storedCuts.get(partition);
      var facts =
          new StartingOffsets.Facts(
              committedOffset,
              ledgers.watermark(named),
              !committed.isEmpty() || ledgers.knowTopicOf(named),
              source.resetPolicy(),
              Objects.requireNonNull(starts.get(partition)),
              Objects.requireNonNull(ends.get(partition)),
              offset == null ? null : notes.own(offset, topic.id),
              reached.getOrDefault(named, Watermark.NONE),
              markCut,
              noted.containsKey(partition) ? notedCuts.get(partition) : markCut);
      RecordIdentity last = offset == null ? null : OffsetMetadataFormat.last(offset);
      found.put(partition, new Found(named, facts, StartingOffsets.decide(facts), last));
    }
    return found;
  }

  /// Those of the partitions whose log does not have what was read of it last.
  Set<TopicPartition> cut(Map<TopicPartition, SourcePartition> partitions) {
    var read = new HashMap<TopicPartition, RecordIdentity>();
    partitions.forEach((partition, named) -> {
      RecordIdentity last = ledgers.lastRead(named);
      if (last != null) {
        read.put(partition, last);
      }
    });
    return probe.check(read).keySet();
  }

  /// The committed offset, if it is one of this topic and none of its name before.
  private static @Nullable OffsetAndMetadata holding(
      Topic topic, @Nullable OffsetAndMetadata offset) {
    return offset == null || OffsetMetadataFormat.isOfAnother(offset, topic.id) ? null : offset;
  }

  SourcePartition named(Topic topic, TopicPartition partition) {
    return new SourcePartition(
        topic.cluster, source.group(), topic.id, source.topic(), partition.partition());
  }

  private static <T> T answer(KafkaFuture<T> future) {
    try {
      return future.get(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      throw e.getCause() instanceof KafkaException cause ? cause : new KafkaException(e);
    } catch (java.util.concurrent.TimeoutException e) {
      throw new TimeoutException("No answer within " + TIMEOUT, e);
    } catch (InterruptedException e) {
      throw new InterruptException(e);
    }
  }

  /// @param id the UUID of the topic
  record Topic(String cluster, String id, int partitions) {}

  /// What was decided for a partition, and on which facts.
  ///
  /// @param noted the record that is noted along with the committed offset; null if none is
  record Found(
      SourcePartition partition,
      StartingOffsets.Facts facts,
      StartingOffsets.Start start,
      @Nullable RecordIdentity noted) {

    /// A record below the position that was read; null if none is known.
    @Nullable RecordIdentity lastBelow() {
      Watermark mark = facts.watermark();
      RecordIdentity read = mark == null ? null : mark.last();
      return isBelow(read) ? read : isBelow(noted) ? noted : null;
    }

    private boolean isBelow(@Nullable RecordIdentity read) {
      return read != null
          && read.timestamp() != LogProbe.NO_TIMESTAMP
          && read.offset() < start.position();
    }
  }
}
