package io.taskbroker.ingest;

import io.taskbroker.activation.SourcePartition;
import io.taskbroker.inflight.Command;
import io.taskbroker.inflight.CommandSink;
import io.taskbroker.ingest.fetch.UnreadRecord;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.common.TopicPartition;

/// Looks at the records behind those that the engine has, while they wait for room for their
/// application: they are read and forgotten, so that no neighbour that the engine cannot see waits
/// behind an application at its limit, and nothing is stored for one that is not there (H13,
/// docs/adr/0015). No record is looked at twice for the same applications. Used by the reader's
/// thread only.
final class Lookahead {
  /// How long the engine must have had as much as it may: one that works makes room before.
  private static final long AFTER_NANOS = TimeUnit.SECONDS.toNanos(1);

  /// What the records of a poll may take of the heap.
  static final long POLL_BYTES = 1 << 20;

  private final RecordDecoder decoder;
  private final PartitionOffsets ledgers;
  private final AssignedPartitions partitions;
  private final CommandSink intake;

  /// Up to where each partition was looked at.
  private final Map<SourcePartition, Long> seen = new HashMap<>();

  /// Records of other applications that are not handed over yet.
  private final Map<SourcePartition, Long> found = new HashMap<>();

  private Set<String> standing = Set.of();
  private long generation;
  private boolean full;
  private long fullSince;
  private boolean looking;

  Lookahead(
      RecordDecoder decoder,
      PartitionOffsets ledgers,
      AssignedPartitions partitions,
      CommandSink intake) {
    this.decoder = decoder;
    this.ledgers = ledgers;
    this.partitions = partitions;
    this.intake = intake;
  }

  /// Whether the next poll is to look, and not to read. Reading goes on where it was.
  ///
  /// @param full whether the engine has as much as it may have
  /// @param now nanoseconds of a monotonic clock
  boolean looks(boolean full, long now) {
    if (generation != partitions.generation()) {
      generation = partitions.generation();
      seen.clear();
      found.clear(); // the engine forgets it with its partition
    }
    if (!full || !this.full) {
      this.full = full;
      fullSince = now;
    }
    boolean looks = full && now - fullSince >= AFTER_NANOS && isAsked() && hasFoundNone();
    if (looks && !looking) {
      partitions.seek(this::lookFrom);
    } else if (!looks && looking) {
      partitions.seek(ledgers::next);
    }
    looking = looks;
    return looks;
  }

  private boolean isAsked() {
    Set<String> now = ledgers.standing();
    if (!now.containsAll(standing)) {
      seen.clear(); // what is left may wait behind records that were passed
    }
    standing = now;
    return !now.isEmpty() && !decoder.isOfOneApplication();
  }

  private boolean hasFoundNone() {
    found.entrySet().removeIf(each -> ledgers.next(each.getKey()) > each.getValue());
    return found.isEmpty();
  }

  private long lookFrom(SourcePartition partition) {
    return Math.max(ledgers.next(partition), seen.getOrDefault(partition, 0L));
  }

  /// Looks at what a poll brought.
  void look(ConsumerRecords<byte[], byte[]> records) {
    records
        .nextOffsets()
        .forEach((partition, next) -> {
          SourcePartition named = partitions.held(partition);
          if (named != null && found.isEmpty()) {
            look(partition, named, records, next.offset());
          }
        });
  }

  private void look(
      TopicPartition partition,
      SourcePartition named,
      ConsumerRecords<byte[], byte[]> records,
      long next) {
    for (ConsumerRecord<byte[], byte[]> each : records.records(partition)) {
      UnreadRecord flaw = UnreadRecord.of(each);
      if (flaw != null && flaw.kind() == UnreadRecord.Kind.UNREADABLE) {
        partitions.stopLooking(partition);
        return;
      }
      String application = flaw == null ? decoder.application(each) : null;
      if (application != null && !standing.contains(application)) {
        seen.put(named, each.offset() + 1);
        found.put(named, each.offset());
        intake.submit(new Command.Foreseen(named, each.offset()));
        return;
      }
    }
    seen.put(named, next);
  }
}
