package io.taskbroker.ingest;

import io.taskbroker.activation.SourcePartition;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.ingest.fetch.UnreadRecord;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.common.TopicPartition;

/// Scan of the records after those that the engine has, while these wait for room for their
/// application. The scan reads records and discards them. So a record of another application, which
/// the engine cannot see, does not wait behind an application at its limit, and nothing is stored
/// for an application that is not there (H13, docs/adr/0015). It looks at no record twice for the
/// same applications. Used by the reader's thread only.
final class Lookahead {
  /// How long the engine must have been full: an engine that makes progress makes room earlier.
  private static final long AFTER_NANOS = TimeUnit.SECONDS.toNanos(1);

  /// Bound of the heap that the records of one poll may take.
  static final long POLL_BYTES = 1 << 20;

  private final RecordDecoder decoder;
  private final PartitionOffsets offsets;
  private final AssignedPartitions partitions;
  private final CommandSink commands;

  /// Next offset to look at, by partition.
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
      PartitionOffsets offsets,
      AssignedPartitions partitions,
      CommandSink commands) {
    this.decoder = decoder;
    this.offsets = offsets;
    this.partitions = partitions;
    this.commands = commands;
  }

  /// Whether the next poll looks ahead instead of reading. Reading resumes where it was.
  ///
  /// @param full whether the engine has as many records as it may have
  /// @param now nanoseconds of a monotonic clock
  boolean shouldLook(boolean full, long now) {
    if (generation != partitions.generation()) {
      generation = partitions.generation();
      seen.clear();
      found.clear(); // the engine forgets them with their partition
    }
    if (!full || !this.full) {
      this.full = full;
      fullSince = now;
    }
    boolean looks = full && now - fullSince >= AFTER_NANOS && isRequested() && hasFoundNone();
    if (looks && !looking) {
      partitions.seek(this::lookFrom);
    } else if (!looks && looking) {
      partitions.seek(offsets::next);
    }
    looking = looks;
    return looks;
  }

  private boolean isRequested() {
    Set<String> now = offsets.standing();
    if (!now.containsAll(standing)) {
      seen.clear(); // the remaining applications may wait after records already seen
    }
    standing = now;
    return !now.isEmpty() && !decoder.isOfOneApplication();
  }

  private boolean hasFoundNone() {
    found.entrySet().removeIf(each -> offsets.next(each.getKey()) > each.getValue());
    return found.isEmpty();
  }

  private long lookFrom(SourcePartition partition) {
    return Math.max(offsets.next(partition), seen.getOrDefault(partition, 0L));
  }

  /// Looks at the records of a poll.
  void look(ConsumerRecords<byte[], byte[]> records) {
    records
        .nextOffsets()
        .forEach((partition, next) -> {
          SourcePartition sourcePartition = partitions.held(partition);
          if (sourcePartition != null && found.isEmpty()) {
            look(partition, sourcePartition, records, next.offset());
          }
        });
  }

  private void look(
      TopicPartition partition,
      SourcePartition sourcePartition,
      ConsumerRecords<byte[], byte[]> records,
      long next) {
    for (ConsumerRecord<byte[], byte[]> each : records.records(partition)) {
      UnreadRecord flaw = UnreadRecord.of(each);
      if (flaw != null && flaw.kind() == UnreadRecord.Kind.UNREADABLE) {
        partitions.pauseUntilSeek(partition);
        return;
      }
      String application = flaw == null ? decoder.application(each) : null;
      if (application != null && !standing.contains(application)) {
        seen.put(sourcePartition, each.offset() + 1);
        found.put(sourcePartition, each.offset());
        commands.submit(new Command.LookaheadFound(sourcePartition, each.offset()));
        return;
      }
    }
    seen.put(sourcePartition, next);
  }
}
