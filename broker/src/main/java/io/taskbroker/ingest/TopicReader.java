package io.taskbroker.ingest;

import io.taskbroker.activation.SourcePartition;
import io.taskbroker.ingest.fetch.PollBudget;
import io.taskbroker.ingest.fetch.PollBudgetExceeded;
import io.taskbroker.ingest.fetch.UnreadRecord;
import io.taskbroker.runtime.SystemContext;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.InvalidOffsetException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.FencedInstanceIdException;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.WakeupException;

/// Reader of a topic. Each turn acquires the assigned partitions, commits due offsets, polls, and
/// hands over the records or looks ahead at them, in that order. So a failure to find a position or
/// to commit does not end the group membership (H5). It has no thread and no client of its own: the
/// simulation runs the same code. Used by the reader's thread only.
final class TopicReader {
  private static final Duration LONGEST_POLL = Duration.ofSeconds(1);

  private static final Duration MEMORY_RETRY_AFTER = Duration.ofMillis(20);

  /// Pause before a retry.
  static final Duration RETRY_AFTER = Duration.ofSeconds(1);

  private final Consumer<byte[], byte[]> consumer;
  private final PartitionOffsets offsets;
  private final OffsetCommits commits;
  private final AssignedPartitions partitions;
  private final RecordSubmitter submitter;
  private final Lookahead lookahead;
  private final PollBudget budget;
  private final SystemContext system;
  private long acquireNotBefore;
  private boolean shortOfMemory;
  private long connections;

  TopicReader(
      Consumer<byte[], byte[]> consumer,
      PartitionOffsets offsets,
      OffsetCommits commits,
      AssignedPartitions partitions,
      RecordSubmitter submitter,
      Lookahead lookahead,
      PollBudget budget,
      SystemContext system) {
    this.consumer = consumer;
    this.offsets = offsets;
    this.commits = commits;
    this.partitions = partitions;
    this.submitter = submitter;
    this.lookahead = lookahead;
    this.budget = budget;
    this.system = system;
    this.acquireNotBefore = nanoTime();
  }

  /// Observer of the topic, beside its polls.
  interface Observer {
    /// Whether the topic with that UUID was deleted and recreated.
    boolean isRecreated(String topicId);

    /// Number of connections made to the cluster so far: after a new one, its log may have changed.
    default long connections() {
      return 0;
    }

    /// Checks that the cluster answers the consumer: after a restore of the cluster it may not.
    ///
    /// @throws KafkaException if it cannot be checked now
    default void requireCurrent(Collection<TopicPartition> partitions) {}

    /// Records arrive, or could.
    void readable();

    /// A poll returned nothing.
    void idle();

    /// A failure occurred that is retried.
    void failed(KafkaException failure);

    /// The store does not grant partitions now; the reader retries.
    void notGranted(PartitionOwnership.Unavailable why);
  }

  /// Outcome of a turn.
  enum End {
    RECORDS,
    NOTHING,
    /// The next turn has something to do at once.
    CUT_SHORT
  }

  /// Runs one turn, which waits for records no longer than until something else is due.
  ///
  /// @throws FencedInstanceIdException if another broker has this broker's instance id
  /// @throws KafkaException if something failed that must be retried after a pause
  /// @throws MetadataCheck.Outdated if the consumer must be replaced
  End turn(Observer watch) {
    try {
      partitions.reacquireIfRecreated(watch::isRecreated);
      partitions.reacquireLost();
      acquireIfDue(watch);
      commits.commitIfDue();
      partitions.retryBlocked();
      boolean full = offsets.isFull();
      boolean looks = lookahead.shouldLook(full, nanoTime());
      partitions.pause((full && !looks) || shortOfMemory);
      budget.begin(looks ? Lookahead.POLL_BYTES : offsets.room());
      ConsumerRecords<byte[], byte[]> records = poll();
      if (records.nextOffsets().isEmpty()) {
        watch.idle();
        checkAfterConnect(watch);
        return End.NOTHING;
      }
      watch.readable();
      if (watch.connections() != connections) {
        connections = watch.connections();
        partitions.reacquireTruncated(); // their records of this poll are not handed over
      }
      if (looks) {
        lookahead.look(records);
      } else {
        handOver(records);
      }
      return End.RECORDS;
    } catch (WakeupException _) {
      return End.CUT_SHORT;
    } catch (PollBudgetExceeded _) {
      shortOfMemory = true;
      return End.CUT_SHORT;
    } catch (InvalidOffsetException e) {
      partitions.reacquire(e.partitions());
      return End.CUT_SHORT;
    } finally {
      budget.end();
    }
  }

  /// Time until the next turn has something to do without records.
  Duration untilDue() {
    Duration until = commits.untilDue();
    Duration longest = partitions.hasUnacquired() ? RETRY_AFTER : LONGEST_POLL;
    if (shortOfMemory) {
      longest = MEMORY_RETRY_AFTER;
    }
    return partitions.untilDue(until.compareTo(longest) < 0 ? until : longest);
  }

  /// Acquires partitions if a try is due. A failure is retried later; the polls between keep the
  /// group membership.
  private void acquireIfDue(Observer watch) {
    if (!partitions.hasUnacquired() || nanoTime() - acquireNotBefore < 0) {
      return;
    }
    try {
      partitions.acquire();
      connections = watch.connections();
      watch.readable();
    } catch (WakeupException | InterruptException | FencedInstanceIdException e) {
      throw e;
    } catch (KafkaException e) {
      watch.failed(e);
      acquireNotBefore = nanoTime() + RETRY_AFTER.toNanos();
      if (e instanceof TimeoutException) {
        watch.requireCurrent(partitions.unacquired());
      }
    } catch (PartitionOwnership.Unavailable e) {
      watch.notGranted(e);
      acquireNotBefore = nanoTime() + RETRY_AFTER.toNanos();
    }
  }

  /// Finds, after a new connection that brings no records, whether none come because the consumer
  /// discards the cluster's metadata.
  private void checkAfterConnect(Observer watch) {
    long now = watch.connections();
    if (now != connections && !partitions.held().isEmpty()) {
      watch.requireCurrent(partitions.held().keySet());
      connections = now;
    }
  }

  private ConsumerRecords<byte[], byte[]> poll() {
    Duration timeout = untilDue();
    shortOfMemory = false;
    try {
      return consumer.poll(offsets.sleep(consumer::wakeup) ? timeout : Duration.ZERO);
    } finally {
      offsets.awake();
    }
  }

  private void handOver(ConsumerRecords<byte[], byte[]> records) {
    long now = system.clock().millis();
    records
        .nextOffsets()
        .forEach((partition, next) -> {
          SourcePartition sourcePartition = partitions.held(partition);
          if (sourcePartition != null) {
            handOver(partition, sourcePartition, records.records(partition), next.offset(), now);
          }
        });
  }

  private void handOver(
      TopicPartition partition,
      SourcePartition sourcePartition,
      List<ConsumerRecord<byte[], byte[]>> records,
      long next,
      long now) {
    UnreadRecord last = records.isEmpty() ? null : UnreadRecord.of(records.getLast());
    if (last == null || last.kind() != UnreadRecord.Kind.UNREADABLE) {
      submitter.handOver(sourcePartition, records, next, now);
      partitions.unblock(partition);
      return;
    }
    List<ConsumerRecord<byte[], byte[]>> readable = records.subList(0, records.size() - 1);
    if (!readable.isEmpty()) {
      submitter.handOver(sourcePartition, readable, readable.getLast().offset() + 1, now);
    }
    partitions.block(partition, sourcePartition, last.reason());
  }

  /// Whether all partitions are blocked, so that reading makes no progress.
  boolean isBlocked() {
    return partitions.allBlocked();
  }

  private long nanoTime() {
    return system.ticker().nanoTime();
  }
}
