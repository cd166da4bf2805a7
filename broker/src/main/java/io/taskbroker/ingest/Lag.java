package io.taskbroker.ingest;

import io.taskbroker.activation.SourcePartition;
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

/// How many messages of each partition are not stored yet. Where its log ends is what the last
/// fetch said; while reading is paused, and nothing is fetched, the cluster is asked, without
/// waiting for it. Used by the reader's thread only.
final class Lag {
  private static final long PERIOD_NANOS = Duration.ofSeconds(1).toNanos();
  private static final long ASK_PERIOD_NANOS = Duration.ofSeconds(5).toNanos();

  private final Consumer<byte[], byte[]> consumer;
  private final Admin admin;
  private final PartitionOffsets ledgers;
  private final TopicCounts counts;
  private final LongSupplier nanoTime;
  private final Map<TopicPartition, Long> asked = new ConcurrentHashMap<>();
  private Set<TopicPartition> shown = Set.of();
  private long dueAt;
  private long askAt;

  Lag(
      Consumer<byte[], byte[]> consumer,
      Admin admin,
      PartitionOffsets ledgers,
      TopicCounts counts,
      LongSupplier nanoTime) {
    this.consumer = consumer;
    this.admin = admin;
    this.ledgers = ledgers;
    this.counts = counts;
    this.nanoTime = nanoTime;
    this.dueAt = nanoTime.getAsLong();
    this.askAt = dueAt;
  }

  /// Shows it once a second.
  ///
  /// @param held the partitions that are read
  /// @param paused whether none of them is fetched now
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
    held.forEach((partition, named) -> {
      ledgers
          .undurable(named, consumer.currentLag(partition), asked.getOrDefault(partition, -1L))
          .ifPresent(messages -> {
            counts.lag(partition.partition(), messages);
            measured.add(partition);
          });
    });
    shown = measured;
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
      // It is asked again, and what reads the topic says what is wrong.
    }
  }
}
