package io.taskbroker.ingest;

import io.taskbroker.activation.SourcePartition;
import io.taskbroker.ingest.fetch.PollBudget;
import io.taskbroker.ingest.fetch.PollBudgetExceeded;
import io.taskbroker.ingest.fetch.UnreadRecord;
import io.taskbroker.runtime.SystemContext;
import java.time.Duration;
import java.util.List;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.InvalidOffsetException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.FencedInstanceIdException;
import org.apache.kafka.common.errors.InterruptException;
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
  private final PartitionOffsets ledgers;
  private final OffsetCommits commits;
  private final AssignedPartitions partitions;
  private final RecordSubmitter handover;
  private final Lookahead lookahead;
  private final PollBudget budget;
  private final SystemContext surroundings;
  private long takeNotBefore;
  private boolean shortOfMemory;
  private long connections;

  TopicReader(
      Consumer<byte[], byte[]> consumer,
      PartitionOffsets ledgers,
      OffsetCommits commits,
      AssignedPartitions partitions,
      RecordSubmitter handover,
      Lookahead lookahead,
      PollBudget budget,
      SystemContext surroundings) {
    this.consumer = consumer;
    this.ledgers = ledgers;
    this.commits = commits;
    this.partitions = partitions;
    this.handover = handover;
    this.lookahead = lookahead;
    this.budget = budget;
    this.surroundings = surroundings;
    this.takeNotBefore = nanoTime();
  }

  /// Observer of the topic, beside its polls.
  interface Watch {
    /// Whether the topic with that UUID was deleted and recreated.
    boolean isAnother(String topicId);

    /// Number of connections made to the cluster so far: after a new one, its log may have changed.
    default long connections() {
      return 0;
    }

    /// Records arrive, or could.
    void fine();

    /// A poll returned nothing.
    void quiet();

    /// A failure occurred that is retried.
    void trouble(KafkaException failure);

    /// The store does not grant partitions now; the reader retries.
    void notYet(PartitionOwnership.Unavailable why);
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
  End turn(Watch watch) {
    try {
      partitions.follow(watch::isAnother);
      partitions.takeLostAgain();
      takeIfDue(watch);
      commits.commitIfDue();
      partitions.tryStandstills();
      boolean full = ledgers.isFull();
      boolean looks = lookahead.looks(full, nanoTime());
      partitions.pause((full && !looks) || shortOfMemory);
      budget.begin(looks ? Lookahead.POLL_BYTES : ledgers.room());
      ConsumerRecords<byte[], byte[]> records = poll();
      if (records.nextOffsets().isEmpty()) {
        watch.quiet();
        return End.NOTHING;
      }
      watch.fine();
      if (watch.connections() != connections) {
        connections = watch.connections();
        partitions.takeCutAgain(); // their records of this poll are not handed over
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
      partitions.takeAgain(e.partitions());
      return End.CUT_SHORT;
    } finally {
      budget.end();
    }
  }

  /// Time until the next turn has something to do without records.
  Duration untilDue() {
    Duration until = commits.untilDue();
    Duration longest = partitions.hasUntaken() ? RETRY_AFTER : LONGEST_POLL;
    if (shortOfMemory) {
      longest = MEMORY_RETRY_AFTER;
    }
    return partitions.untilDue(until.compareTo(longest) < 0 ? until : longest);
  }

  /// Acquires partitions if a try is due. A failure is retried later; the polls between keep the
  /// group membership.
  private void takeIfDue(Watch watch) {
    if (!partitions.hasUntaken() || nanoTime() - takeNotBefore < 0) {
      return;
    }
    try {
      partitions.take();
      connections = watch.connections();
      watch.fine();
    } catch (WakeupException | InterruptException | FencedInstanceIdException e) {
      throw e;
    } catch (KafkaException e) {
      watch.trouble(e);
      takeNotBefore = nanoTime() + RETRY_AFTER.toNanos();
    } catch (PartitionOwnership.Unavailable e) {
      watch.notYet(e);
      takeNotBefore = nanoTime() + RETRY_AFTER.toNanos();
    }
  }

  private ConsumerRecords<byte[], byte[]> poll() {
    Duration timeout = untilDue();
    shortOfMemory = false;
    try {
      return consumer.poll(ledgers.sleep(consumer::wakeup) ? timeout : Duration.ZERO);
    } finally {
      ledgers.awake();
    }
  }

  private void handOver(ConsumerRecords<byte[], byte[]> records) {
    long now = surroundings.clock().millis();
    records
        .nextOffsets()
        .forEach((partition, next) -> {
          SourcePartition named = partitions.held(partition);
          if (named != null) {
            handOver(partition, named, records.records(partition), next.offset(), now);
          }
        });
  }

  private void handOver(
      TopicPartition partition,
      SourcePartition named,
      List<ConsumerRecord<byte[], byte[]>> records,
      long next,
      long now) {
    UnreadRecord last = records.isEmpty() ? null : UnreadRecord.of(records.getLast());
    if (last == null || last.kind() != UnreadRecord.Kind.UNREADABLE) {
      handover.handOver(named, records, next, now);
      partitions.moved(partition);
      return;
    }
    List<ConsumerRecord<byte[], byte[]>> readable = records.subList(0, records.size() - 1);
    if (!readable.isEmpty()) {
      handover.handOver(named, readable, readable.getLast().offset() + 1, now);
    }
    partitions.standStill(partition, named, last.reason());
  }

  /// Whether all partitions are blocked, so that reading makes no progress.
  boolean standsStill() {
    return partitions.allStandStill();
  }

  private long nanoTime() {
    return surroundings.ticker().nanoTime();
  }
}
