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

/// Collector of the facts that [StartingOffsets] needs, from Kafka, the store and the offset
/// ledgers, for the partitions of one topic. Every request is bounded in time and fails by a
/// [KafkaException]. Used by the reader's thread only.
final class PositionFinder {
  private static final Logger log = LoggerFactory.getLogger(PositionFinder.class);
  private static final int TIMEOUT_MILLIS = 3000;
  private static final Duration TIMEOUT = Duration.ofMillis(TIMEOUT_MILLIS);

  private final TopicSource source;
  private final Consumer<byte[], byte[]> consumer;
  private final Supplier<Topic> topics;
  private final PartitionOffsets offsets;
  private final OffsetMetadataFormat metadataFormat;
  private final PartitionOwnership ownership;
  private final LogProbe probe;

  /// How far partitions were consumed whose store went back, until they are started.
  private final Map<SourcePartition, Long> reached = new HashMap<>();

  PositionFinder(
      TopicSource source,
      Consumer<byte[], byte[]> consumer,
      Admin admin,
      PartitionOffsets offsets,
      OffsetMetadataFormat metadataFormat,
      PartitionOwnership ownership,
      FetchLimits limits) {
    this(
        source,
        consumer,
        () -> ask(admin, source.topic()),
        offsets,
        metadataFormat,
        ownership,
        new KafkaLogProbe(source, admin, limits));
  }

  /// @param topics describes the topic as it is now
  /// @param probe checks that its partitions have the records that were read
  PositionFinder(
      TopicSource source,
      Consumer<byte[], byte[]> consumer,
      Supplier<Topic> topics,
      PartitionOffsets offsets,
      OffsetMetadataFormat metadataFormat,
      PartitionOwnership ownership,
      LogProbe probe) {
    this.probe = probe;
    this.source = source;
    this.consumer = consumer;
    this.topics = topics;
    this.offsets = offsets;
    this.metadataFormat = metadataFormat;
    this.ownership = ownership;
  }

  /// The topic as it is now. Asked each time, since it may have been recreated.
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

  /// Checks whether partitions may be acquired that the engine still drains: rows that move must
  /// leave it before they come back.
  ///
  /// @throws PartitionOwnership.Unavailable if they must not be acquired yet
  void requireDrained(List<String> partitions) {
    if (ownership.moves()) {
      throw new PartitionOwnership.Unavailable(
          "the engine still drains its earlier records of " + partitions);
    }
    log.warn("Acquiring {} while the engine still drains its earlier records of them", partitions);
  }

  /// Acquires the partitions.
  ///
  /// @return the acquired ones: all, except those that a later owner has
  /// @throws PartitionOwnership.Unavailable if the store does not answer; it may have granted some
  Set<TopicPartition> acquire(
      Topic topic,
      Collection<TopicPartition> partitions,
      Map<TopicPartition, OffsetAndMetadata> committed) {
    int generation = consumer.groupMetadata().generationId();
    var taken = new HashSet<TopicPartition>();
    for (TopicPartition partition : partitions) {
      SourcePartition sourcePartition = sourcePartition(topic, partition);
      Optional<PartitionOwnership.Taken> stored =
          ownership.take(sourcePartition, generation, noted(topic, committed.get(partition)));
      if (stored.isPresent()) {
        offsets.remember(stored.get().watermarks());
        reached.merge(sourcePartition, stored.get().reached(), Math::max);
        taken.add(partition);
      } else {
        log.warn(
            "Another broker acquired {}-{} in a later rebalance: waiting for the next rebalance",
            sourcePartition.topic(),
            sourcePartition.partition());
      }
    }
    return taken;
  }

  /// Committed offset with the metadata that this store wrote; null if it wrote none.
  private PartitionOwnership.@Nullable Noted noted(
      Topic topic, @Nullable OffsetAndMetadata committed) {
    OffsetMetadata metadata = committed == null ? null : metadataFormat.own(committed, topic.id);
    return committed == null || metadata == null
        ? null
        : new PartitionOwnership.Noted(committed.offset(), metadata.position());
  }

  /// Forgets how far the store had consumed a partition: it is started.
  void started(SourcePartition partition) {
    reached.remove(partition);
  }

  /// Whether tasks in flight move with partitions.
  boolean movesRows() {
    return ownership.moves();
  }

  /// Releases partitions.
  ///
  /// @param drained whether the engine has nothing of them any more
  void release(Collection<SourcePartition> partitions, boolean drained) {
    try {
      ownership.releaseAll(partitions, drained);
    } catch (PartitionOwnership.Unavailable e) {
      log.warn("Released partitions without the store: {}", e.getMessage());
    }
  }

  /// Committed offsets of the group for all partitions of the topic that have one.
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

  /// Decides the start position of each of the partitions.
  ///
  /// @param committed offsets of the topic's partitions
  Map<TopicPartition, Found> find(
      Topic topic,
      Collection<TopicPartition> partitions,
      Map<TopicPartition, OffsetAndMetadata> committed) {
    Map<TopicPartition, Long> starts = consumer.beginningOffsets(partitions, TIMEOUT);
    Map<TopicPartition, Long> ends = consumer.endOffsets(partitions, TIMEOUT);

    var storedRecords = new HashMap<TopicPartition, RecordIdentity>();
    var committedRecords = new HashMap<TopicPartition, RecordIdentity>();
    for (TopicPartition partition : partitions) {
      Watermark watermark = offsets.watermark(sourcePartition(topic, partition));
      RecordIdentity read = watermark == null ? null : watermark.last();
      if (read != null) {
        storedRecords.put(partition, read);
      }
      OffsetAndMetadata offset = ofThisTopic(topic, committed.get(partition));
      RecordIdentity below = offset == null ? null : OffsetMetadataFormat.last(offset);
      if (below != null && !below.equals(read)) {
        committedRecords.put(partition, below);
      }
    }
    Map<TopicPartition, Cut> storedCuts = probe.check(storedRecords);
    Map<TopicPartition, Cut> committedCuts = probe.check(committedRecords);

    var found = new HashMap<TopicPartition, Found>();
    for (TopicPartition partition : partitions) {
      SourcePartition sourcePartition = sourcePartition(topic, partition);
      OffsetAndMetadata offset = ofThisTopic(topic, committed.get(partition));
      long committedOffset = offset == null ? Watermark.NONE : offset.offset();
      Cut watermarkCut = storedCuts.get(partition);
      var facts =
          new StartingOffsets.Facts(
              committedOffset,
              offsets.watermark(sourcePartition),
              !committed.isEmpty() || offsets.knowsTopicOf(sourcePartition),
              source.resetPolicy(),
              Objects.requireNonNull(starts.get(partition)),
              Objects.requireNonNull(ends.get(partition)),
              offset == null ? null : metadataFormat.own(offset, topic.id),
              reached.getOrDefault(sourcePartition, Watermark.NONE),
              watermarkCut,
              committedRecords.containsKey(partition) ? committedCuts.get(partition) : watermarkCut,
              isKnown(committedRecords.get(partition)) && !committedCuts.containsKey(partition));
      RecordIdentity last = offset == null ? null : OffsetMetadataFormat.last(offset);
      found.put(partition, new Found(sourcePartition, facts, StartingOffsets.decide(facts), last));
    }
    return found;
  }

  private static boolean isKnown(@Nullable RecordIdentity record) {
    return record != null && record.timestamp() != LogProbe.NO_TIMESTAMP;
  }

  /// Partitions whose log does not have the record that was read last.
  Set<TopicPartition> cut(Map<TopicPartition, SourcePartition> partitions) {
    var read = new HashMap<TopicPartition, RecordIdentity>();
    partitions.forEach((partition, sourcePartition) -> {
      RecordIdentity last = offsets.lastRead(sourcePartition);
      if (last != null) {
        read.put(partition, last);
      }
    });
    return probe.check(read).keySet();
  }

  /// The committed offset, unless it belongs to a deleted topic of the same name.
  private static @Nullable OffsetAndMetadata ofThisTopic(
      Topic topic, @Nullable OffsetAndMetadata offset) {
    return offset == null || OffsetMetadataFormat.isOfAnotherTopic(offset, topic.id)
        ? null
        : offset;
  }

  SourcePartition sourcePartition(Topic topic, TopicPartition partition) {
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

  /// Decision for a partition, with its facts.
  ///
  /// @param committedRecord the record in the committed offset's metadata; null if there is none
  record Found(
      SourcePartition partition,
      StartingOffsets.Facts facts,
      StartingOffsets.Start start,
      @Nullable RecordIdentity committedRecord) {

    /// The last known record below the position that was read and that the log still has; null if
    /// none is known.
    @Nullable RecordIdentity lastBelow() {
      Watermark watermark = facts.watermark();
      RecordIdentity read =
          below(watermark == null ? null : watermark.last(), facts.watermarkCut());
      RecordIdentity committed = below(committedRecord, facts.committedCut());
      boolean isLater = committed != null && (read == null || committed.offset() > read.offset());
      return isLater ? committed : read;
    }

    private @Nullable RecordIdentity below(
        @Nullable RecordIdentity read, LogProbe.@Nullable Cut cut) {
      boolean isBelow =
          read != null
              && isKnown(read)
              && read.offset() < start.position()
              && (cut == null || read.offset() < cut.offset());
      return isBelow ? read : null;
    }
  }
}
