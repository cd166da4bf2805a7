package io.taskbroker.ingest;

import io.taskbroker.activation.SourcePartition;
import io.taskbroker.ingest.fetch.LogEnds;
import java.time.Duration;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;

/// Gauge of the messages of each partition that are not stored yet, those of open transactions
/// included. The last fetch tells the end of the log; while reading is paused and nothing is
/// fetched, the gauge asks the cluster without waiting for the answer. Used by the reader's thread
/// only.
final class Lag {
  private static final long PERIOD_NANOS = Duration.ofSeconds(1).toNanos();
  private static final long ASK_PERIOD_NANOS = Duration.ofSeconds(5).toNanos();

  private final Consumer<byte[], byte[]> consumer;
  private final Admin admin;
  private final PartitionOffsets offsets;
  private final TopicCounts counts;
  private final LogEnds ends;
  private final OpenTransactions transactions;
  private final LongSupplier nanoTime;
  private final Map<TopicPartition, Long> asked = new ConcurrentHashMap<>();
  private Set<TopicPartition> shown = Set.of();
  private long dueAt;
  private long askAt;

  Lag(
      Consumer<byte[], byte[]> consumer,
      Admin admin,
      PartitionOffsets offsets,
      TopicCounts counts,
      LogEnds ends,
      LongSupplier nanoTime) {
    this.consumer = consumer;
    this.admin = admin;
    this.offsets = offsets;
    this.counts = counts;
    this.ends = ends;
    this.transactions = new OpenTransactions(ends, counts, nanoTime);
    this.nanoTime = nanoTime;
    this.dueAt = nanoTime.getAsLong();
    this.askAt = dueAt;
  }

  /// Updates the gauge if a second has passed since the last time.
  ///
  /// @param held the acquired partitions
  /// @param paused whether reading is paused, so that nothing is fetched
  void measureIfDue(Map<TopicPartition, SourcePartition> held, boolean paused) {
    long now = nanoTime.getAsLong();
    if (now - dueAt < 0) {
      return;
    }
    dueAt = now + PERIOD_NANOS;
    if (paused && now - askAt >= 0) {
      askAt = now + ASK_PERIOD_NANOS;
      ask(held.keySet());
    }
    shown.stream()
        .filter(gone -> !held.containsKey(gone))
        .forEach(gone -> {
          asked.remove(gone);
          counts.noLag(gone.partition());
        });
    var measured = new HashSet<TopicPartition>();
    held.forEach((partition, sourcePartition) -> {
      long end = Math.max(asked.getOrDefault(partition, -1L), ends.end(partition.partition()));
      offsets
          .undurable(sourcePartition, consumer.currentLag(partition), end)
          .ifPresent(messages -> {
            counts.lag(partition.partition(), messages);
            measured.add(partition);
          });
    });
    shown = measured;
    transactions.look(
        paused ? Set.of() : held.keySet(),
        partition -> consumer.currentLag(partition).orElse(1) == 0);
  }

  private void ask(Set<TopicPartition> partitions) {
    Map<TopicPartition, OffsetSpec> ends =
        partitions.stream()
            .collect(Collectors.toMap(Function.identity(), _ -> OffsetSpec.latest()));
    try {
      var answer = admin.listOffsets(ends);
      for (TopicPartition partition : partitions) {
        var _ =
            answer
                .partitionResult(partition)
                .whenComplete((end, failure) -> {
                  if (failure == null) {
                    asked.put(partition, end.offset());
                  }
                });
      }
    } catch (KafkaException _) {
      // It is asked again; the reader of the topic logs the failure.
    }
  }
}
