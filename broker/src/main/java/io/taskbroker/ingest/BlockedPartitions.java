package io.taskbroker.ingest;

import io.taskbroker.runtime.LogInterval;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Partitions of a topic that are blocked at an unreadable record. The broker never skips it, since
/// Kafka may still restore it from another replica: each partition is retried with a backoff of one
/// second up to one minute. Used by the reader's thread only.
final class BlockedPartitions {
  private static final Logger log = LoggerFactory.getLogger(BlockedPartitions.class);
  private static final long FIRST_NANOS = Duration.ofSeconds(1).toNanos();
  private static final int MAX_NAMED = 10;
  private static final long LONGEST_NANOS = Duration.ofMinutes(1).toNanos();

  private final TopicCounts counts;
  private final LongSupplier nanoTime;
  private final Map<TopicPartition, Blocked> all = new HashMap<>();

  BlockedPartitions(TopicCounts counts, LongSupplier nanoTime) {
    this.counts = counts;
    this.nanoTime = nanoTime;
  }

  private static final class Blocked {
    private final LogInterval lines = new LogInterval(Duration.ofNanos(LONGEST_NANOS));
    private long offset;
    private long delayNanos;
    private long tryAt;
    private boolean waiting;
  }

  /// Blocks the partition, or blocks it again.
  ///
  /// @param offset where the unreadable part of the log begins
  void add(TopicPartition partition, long offset, String reason) {
    long now = nanoTime.getAsLong();
    Blocked each = all.computeIfAbsent(partition, _ -> new Blocked());
    each.delayNanos =
        each.delayNanos == 0 ? FIRST_NANOS : Math.min(2 * each.delayNanos, LONGEST_NANOS);
    each.tryAt = now + each.delayNanos;
    each.waiting = true;
    each.offset = offset;
    if (each.lines.isDue(offset, now)) {
      log.error(
          "Partition {} stands still at offset {}, which cannot be read: {}. It is tried again; to"
              + " skip what is there, move the group's offset past it, or delete the records"
              + " up to it (docs/operations.md)",
          partition,
          offset,
          reason);
    }
    report();
  }

  /// Whether the partition is blocked and its retry is not due yet.
  boolean isWaiting(TopicPartition partition) {
    Blocked each = all.get(partition);
    return each != null && each.waiting;
  }

  /// Partitions whose retry is due; they no longer wait.
  List<TopicPartition> due() {
    if (all.isEmpty()) {
      return List.of();
    }
    long now = nanoTime.getAsLong();
    var due = new ArrayList<TopicPartition>();
    all.forEach((partition, each) -> {
      if (each.waiting && now - each.tryAt >= 0) {
        each.waiting = false;
        due.add(partition);
      }
    });
    return due;
  }

  /// Time until the next retry; at most the given time.
  Duration untilDue(Duration longest) {
    long now = nanoTime.getAsLong();
    long nanos = longest.toNanos();
    for (Blocked each : all.values()) {
      if (each.waiting) {
        nanos = Math.min(nanos, Math.max(0, each.tryAt - now));
      }
    }
    return Duration.ofNanos(nanos);
  }

  /// Unblocks the partition: a record of it was read.
  void unblock(TopicPartition partition) {
    if (!all.isEmpty() && all.remove(partition) != null) {
      log.info("Partition {} can be read again", partition);
      report();
    }
  }

  /// Forgets partitions that are read from another offset, or by another member.
  void forget(Collection<TopicPartition> partitions) {
    if (all.keySet().removeAll(partitions)) {
      report();
    }
  }

  int size() {
    return all.size();
  }

  private void report() {
    counts.blocked(
        all.size(),
        all.entrySet().stream()
            .limit(MAX_NAMED)
            .map(each -> "partition " + each.getKey() + " at offset " + each.getValue().offset)
            .sorted()
            .collect(Collectors.joining(", ")));
  }
}
