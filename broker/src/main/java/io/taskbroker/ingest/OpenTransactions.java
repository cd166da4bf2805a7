package io.taskbroker.ingest;

import io.taskbroker.ingest.fetch.LogEnds;
import io.taskbroker.runtime.LogInterval;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Partitions of a topic that cannot be read on because a transaction of a producer is open: only
/// committed records are read, in their order. Reports those that have waited for longer than a
/// producer's transaction lasts by default; its producer may be gone, and a transaction that hangs
/// never ends by itself. Used by the reader's thread only.
final class OpenTransactions {
  private static final Logger log = LoggerFactory.getLogger(OpenTransactions.class);
  static final Duration USUAL = Duration.ofMinutes(1);
  private static final Duration REPEAT_AFTER = Duration.ofMinutes(1);
  private static final int MAX_NAMED = 10;

  private final LogEnds ends;
  private final TopicCounts counts;
  private final LongSupplier nanoTime;
  private final Map<TopicPartition, Waiting> all = new HashMap<>();
  private final LogInterval lines = new LogInterval(REPEAT_AFTER);

  /// @param offset first of the transaction
  private record Waiting(long offset, long since) {}

  OpenTransactions(LogEnds ends, TopicCounts counts, LongSupplier nanoTime) {
    this.ends = ends;
    this.counts = counts;
    this.nanoTime = nanoTime;
  }

  /// Looks which partitions wait.
  ///
  /// @param held the acquired partitions; none while reading is paused
  /// @param isReadUp whether everything of a partition is read that may be
  void look(Collection<TopicPartition> held, Predicate<TopicPartition> isReadUp) {
    long now = nanoTime.getAsLong();
    all.keySet().retainAll(held);
    List<String> late = new ArrayList<>();
    for (TopicPartition partition : held) {
      long offset = ends.openTransaction(partition.partition());
      if (offset < 0 || !isReadUp.test(partition)) {
        all.remove(partition);
        continue;
      }
      Waiting before = all.get(partition);
      Waiting waiting =
          before == null || before.offset != offset ? new Waiting(offset, now) : before;
      all.put(partition, waiting);
      if (now - waiting.since >= USUAL.toNanos() && late.size() < MAX_NAMED) {
        late.add("partition " + partition + " at offset " + offset);
      }
    }
    String which = String.join(", ", late.stream().sorted().toList());
    if (!which.isEmpty() && lines.isDue(which, now)) {
      log.warn(
          "A transaction of a producer has been open for more than {} s in {}: what is behind it is"
              + " not read before it ends. If its producer is gone, abort it"
              + " (kafka-transactions.sh, docs/operations.md)",
          USUAL.toSeconds(),
          which);
    } else if (which.isEmpty() && !counts.waitsForTransactions().isEmpty()) {
      log.info("No transaction holds back the records of {} any more", counts.topic());
      lines.over();
    }
    counts.waitsForTransactions(which);
  }
}
