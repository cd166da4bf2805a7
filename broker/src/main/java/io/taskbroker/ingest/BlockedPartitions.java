package io.taskbroker.ingest;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Partitions of a topic that stand still at a record which cannot be read. Nothing is skipped, as
/// Kafka may still heal it from another replica: each is tried again, after a second at first and a
/// minute at last. Used by the reader's thread only.
final class BlockedPartitions {
  private static final Logger log = LoggerFactory.getLogger(BlockedPartitions.class);
  private static final long FIRST_NANOS = Duration.ofSeconds(1).toNanos();
  private static final long LONGEST_NANOS = Duration.ofMinutes(1).toNanos();

  private final TopicCounts counts;
  private final LongSupplier nanoTime;
  private final Map<TopicPartition, Standstill> all = new HashMap<>();

  BlockedPartitions(TopicCounts counts, LongSupplier nanoTime) {
    this.counts = counts;
    this.nanoTime = nanoTime;
  }

  private static final class Standstill {
    private long offset = -1;
    private long delayNanos;
    private long tryAt;
    private long loggedAt;
    private boolean waits;
  }

  /// The partition stands still, or does so again.
  ///
  /// @param offset where what cannot be read begins
  void add(TopicPartition partition, long offset, String reason) {
    long now = nanoTime.getAsLong();
    Standstill each = all.computeIfAbsent(partition, _ -> new Standstill());
    each.delayNanos =
        each.delayNanos == 0 ? FIRST_NANOS : Math.min(2 * each.delayNanos, LONGEST_NANOS);
    each.tryAt = now + each.delayNanos;
    each.waits = true;
    if (each.offset != offset || now - each.loggedAt >= LONGEST_NANOS) {
      each.offset = offset;
      each.loggedAt = now;
      log.error(
          "Partition {} stands still at offset {}, which cannot be read: {}. It is tried again; to"
              + " give up what is there, move the group's offset behind it, or delete the records"
              + " up to it (docs/operations.md)",
          partition,
          offset,
          reason);
    }
    counts.still(all.size());
  }

  /// Whether the partition waits to be tried again.
  boolean waits(TopicPartition partition) {
    Standstill each = all.get(partition);
    return each != null && each.waits;
  }

  /// The partitions whose time has come: they wait no longer.
  List<TopicPartition> due() {
    if (all.isEmpty()) {
      return List.of();
    }
    long now = nanoTime.getAsLong();
    var due = new ArrayList<TopicPartition>();
    all.forEach((partition, each) -> {
      if (each.waits && now - each.tryAt >= 0) {
        each.waits = false;
        due.add(partition);
      }
    });
    return due;
  }

  /// When the next one is due; the given time if none is before.
  Duration untilDue(Duration longest) {
    long now = nanoTime.getAsLong();
    long nanos = longest.toNanos();
    for (Standstill each : all.values()) {
      if (each.waits) {
        nanos = Math.min(nanos, Math.max(0, each.tryAt - now));
      }
    }
    return Duration.ofNanos(nanos);
  }

  /// Something of the partition was read.
  void moved(TopicPartition partition) {
    if (!all.isEmpty() && all.remove(partition) != null) {
      log.info("Partition {} can be read again", partition);
      counts.still(all.size());
    }
  }

  /// The partitions are read from elsewhere, or by somebody else.
  void forget(Collection<TopicPartition> partitions) {
    if (all.keySet().removeAll(partitions)) {
      counts.still(all.size());
    }
  }

  int size() {
    return all.size();
  }
}
