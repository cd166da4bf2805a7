package io.taskbroker.deadletter;

import io.taskbroker.config.ClusterConfig;
import io.taskbroker.ingest.fetch.BoundedConsumer;
import io.taskbroker.ingest.fetch.FetchLimits;
import io.taskbroker.ingest.fetch.IntakeMemory;
import io.taskbroker.ingest.fetch.PollBudget;
import io.taskbroker.ingest.fetch.UnreadRecord;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.GroupProtocol;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.jspecify.annotations.Nullable;

/// Bounded reading of the committed records of a topic, partition by partition, up to its end at
/// the time of opening. Belongs to no consumer group and commits nothing. One thread.
public final class TopicScan implements AutoCloseable {
  private static final Duration TIMEOUT = Duration.ofSeconds(15);
  private static final Duration POLL = Duration.ofMillis(200);
  private static final int POLL_RECORDS = 500;
  private static final int FETCH_BYTES = 1 << 20;
  private static final int MAX_VALUE_BYTES = 64 << 20;
  private static final int MAX_HEADERS = 1_024;
  private static final long MAX_POLL_BYTES = 8 << 20;
  private static final long MAX_INFLATED_BYTES = 1 << 30;

  private final String topic;
  private final String topicId;
  private final PollBudget budget = new PollBudget(IntakeMemory.unbounded());
  private final Consumer<byte[], byte[]> consumer;
  private final SortedMap<Integer, Range> ranges = new TreeMap<>();

  /// Records that were fetched and not visited: those of `current` from `position` on.
  private final ArrayDeque<ConsumerRecord<byte[], byte[]>> fetched = new ArrayDeque<>();

  private @Nullable TopicPartition current;
  private long position;

  /// Offsets of a partition that have records.
  ///
  /// @param begin first offset that Kafka retains
  /// @param end offset behind the last committed record
  public record Range(long begin, long end) {}

  private TopicScan(ClusterConfig cluster, TopicDescription description) {
    topic = description.name();
    topicId = description.topicId().toString();
    consumer = BoundedConsumer.create(settings(cluster, topic), limits(), budget, () -> {});
    look(
        description.partitions().stream()
            .map(it -> new TopicPartition(topic, it.partition()))
            .toList());
  }

  private void look(List<TopicPartition> partitions) {
    Map<TopicPartition, Long> begins = consumer.beginningOffsets(partitions, TIMEOUT);
    Map<TopicPartition, Long> ends = consumer.endOffsets(partitions, TIMEOUT);
    for (TopicPartition partition : partitions) {
      ranges.put(
          partition.partition(),
          new Range(begins.getOrDefault(partition, 0L), ends.getOrDefault(partition, 0L)));
    }
  }

  /// Opens a topic; empty if it does not exist.
  ///
  /// @throws DeadLetterException if Kafka does not answer
  public static Optional<TopicScan> open(ClusterConfig cluster, String topic) {
    try (Admin admin = Admin.create(adminSettings(cluster))) {
      TopicDescription description =
          Objects.requireNonNull(admin.describeTopics(List.of(topic)).topicNameValues().get(topic))
              .get(TIMEOUT.toSeconds(), TimeUnit.SECONDS);
      return Optional.of(new TopicScan(cluster, description));
    } catch (ExecutionException e) {
      if (e.getCause() instanceof UnknownTopicOrPartitionException) {
        return Optional.empty();
      }
      throw failure("Cannot read topic " + topic, cluster, e.getCause());
    } catch (TimeoutException | KafkaException e) {
      throw failure("Cannot read topic " + topic, cluster, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new DeadLetterException("Interrupted while topic " + topic + " was opened", e);
    }
  }

  static DeadLetterException failure(
      String what, ClusterConfig cluster, @Nullable Throwable cause) {
    String detail =
        cause == null
            ? "no answer"
            : cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
    return new DeadLetterException(
        "%s at %s: %s; check kafka_clusters and that Kafka is up"
            .formatted(what, cluster.address(), detail),
        cause);
  }

  static Map<String, Object> adminSettings(ClusterConfig cluster) {
    var settings = new HashMap<String, Object>(cluster.clientProperties());
    settings.keySet().retainAll(AdminClientConfig.configNames());
    settings.put(AdminClientConfig.CLIENT_ID_CONFIG, "taskbroker-dlq");
    settings.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, (int) TIMEOUT.toMillis());
    settings.put(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, (int) TIMEOUT.toMillis());
    settings.put(AdminClientConfig.ENABLE_METRICS_PUSH_CONFIG, false);
    return settings;
  }

  private static Map<String, Object> settings(ClusterConfig cluster, String topic) {
    var settings = new HashMap<String, Object>(cluster.clientProperties());
    settings.put(ConsumerConfig.CLIENT_ID_CONFIG, "taskbroker-dlq-" + topic);
    settings.put(ConsumerConfig.GROUP_PROTOCOL_CONFIG, GroupProtocol.CLASSIC.name());
    settings.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
    settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    settings.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false);
    settings.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
    settings.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, POLL_RECORDS);
    settings.put(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG, FETCH_BYTES);
    settings.put(ConsumerConfig.FETCH_MAX_BYTES_CONFIG, FETCH_BYTES);
    return settings;
  }

  private static FetchLimits limits() {
    return new FetchLimits(
        MAX_VALUE_BYTES, MAX_HEADERS, 1, MAX_VALUE_BYTES, MAX_INFLATED_BYTES, 2 * MAX_VALUE_BYTES);
  }

  public String topic() {
    return topic;
  }

  /// UUID of the topic: a topic that is deleted and created again has another one.
  public String topicId() {
    return topicId;
  }

  /// The partitions with their offsets.
  public SortedMap<Integer, Range> ranges() {
    return ranges;
  }

  /// Moves the ends of the partitions to the present ones. Partitions that were added since the
  /// opening are not seen.
  ///
  /// @throws DeadLetterException if Kafka does not answer
  public void refresh() {
    try {
      look(ranges.keySet().stream().map(it -> new TopicPartition(topic, it)).toList());
    } catch (KafkaException e) {
      throw new DeadLetterException(
          "Kafka does not tell the end of topic %s: %s; check that it is up"
              .formatted(topic, e.getMessage()),
          e);
    }
  }

  /// First offset of a partition with a timestamp at or after the given one; its end if there is
  /// none.
  ///
  /// @param timestamp milliseconds since the epoch
  public long firstAt(int partition, long timestamp) {
    var which = new TopicPartition(topic, partition);
    OffsetAndTimestamp found =
        consumer.offsetsForTimes(Map.of(which, timestamp), TIMEOUT).get(which);
    return found == null ? range(partition).end() : found.offset();
  }

  Range range(int partition) {
    Range range = ranges.get(partition);
    if (range == null) {
      throw new DeadLetterException("Topic " + topic + " has no partition " + partition);
    }
    return range;
  }

  /// Reads records until one is refused or the end is reached.
  ///
  /// @param from first offset
  /// @param end offset behind the last one, at most that of the range
  /// @param visitor returns false to stop after the record
  /// @return the offset to go on from
  /// @throws DeadLetterException if Kafka does not answer, or a record cannot be read
  public long read(
      int partition, long from, long end, Predicate<ConsumerRecord<byte[], byte[]>> visitor) {
    Range range = range(partition);
    long last = Math.min(end, range.end());
    long next = Math.max(from, range.begin());
    if (next >= last) {
      return next;
    }
    var which = new TopicPartition(topic, partition);
    if (!which.equals(current) || next != position) {
      consumer.assign(List.of(which));
      consumer.seek(which, next);
      fetched.clear();
      current = which;
      position = next;
    }
    long heardOf = System.nanoTime();
    while (position < last) {
      ConsumerRecord<byte[], byte[]> message = fetched.poll();
      if (message == null) {
        heardOf = poll(which) ? System.nanoTime() : heardOf;
        if (System.nanoTime() - heardOf > TIMEOUT.toNanos()) {
          throw new DeadLetterException(
              "Kafka sent nothing of topic %s, partition %d, offset %d for %d s"
                  .formatted(topic, partition, position, TIMEOUT.toSeconds()));
        }
      } else if (message.offset() >= last) {
        fetched.addFirst(message);
        position = last;
      } else {
        position = message.offset() + 1;
        if (!visitor.test(message)) {
          return position;
        }
      }
    }
    return position;
  }

  /// Fetches records. Returns whether reading went on.
  private boolean poll(TopicPartition partition) {
    budget.begin(MAX_POLL_BYTES);
    try {
      fetched.addAll(consumer.poll(POLL).records(partition));
    } finally {
      budget.end();
    }
    if (fetched.isEmpty()) {
      long reached = consumer.position(partition, TIMEOUT);
      boolean moved = reached > position; // over the end of a transaction
      position = Math.max(position, reached);
      return moved;
    }
    UnreadRecord flaw = UnreadRecord.of(fetched.getLast());
    if (flaw != null && flaw.kind() == UnreadRecord.Kind.UNREADABLE) {
      throw new DeadLetterException(
          "Topic %s, partition %d, offset %d cannot be read: %s; start behind it"
              .formatted(topic, partition.partition(), fetched.getLast().offset(), flaw.reason()));
    }
    return true;
  }

  @Override
  public void close() {
    consumer.close(CloseOptions.timeout(Duration.ZERO));
  }
}
