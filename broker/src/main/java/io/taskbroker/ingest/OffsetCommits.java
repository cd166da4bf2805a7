package io.taskbroker.ingest;

import io.taskbroker.activation.SourcePartition;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.FencedInstanceIdException;
import org.apache.kafka.common.errors.WakeupException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Committer of the durable offsets: it commits at each interval, and at once when a caller waits
/// for it (H2). If no more is durable but more tasks are done, it commits the offset again with new
/// offset metadata, so that less is read again after a loss of the store (docs/adr/0006). One
/// commit is in flight at a time; offsets that become due meanwhile follow right after it. The
/// committer informs the engine of what Kafka acknowledged. Used by the reader's thread only.
final class OffsetCommits {
  private static final Logger log = LoggerFactory.getLogger(OffsetCommits.class);
  private static final Duration RETRY_AFTER = Duration.ofMillis(200);

  /// Lower bound of the interval: with less, the reader would spin.
  private static final Duration SHORTEST_INTERVAL = Duration.ofMillis(20);

  private final Consumer<byte[], byte[]> consumer;
  private final PartitionOffsets offsets;
  private final OffsetMetadataFormat metadataFormat;
  private final CommandSink commands;
  private final long intervalNanos;
  private final LongSupplier nanoTime;

  private boolean pending;
  private boolean urgent;
  private long notBefore;
  private long dueAt;
  private @Nullable FencedInstanceIdException fenced;

  OffsetCommits(
      Consumer<byte[], byte[]> consumer,
      PartitionOffsets offsets,
      OffsetMetadataFormat metadataFormat,
      CommandSink commands,
      Duration interval,
      LongSupplier nanoTime) {
    this.consumer = consumer;
    this.offsets = offsets;
    this.metadataFormat = metadataFormat;
    this.commands = commands;
    this.intervalNanos = Math.max(interval.toNanos(), SHORTEST_INTERVAL.toNanos());
    this.nanoTime = nanoTime;
    this.notBefore = nanoTime.getAsLong();
    this.dueAt = notBefore + intervalNanos;
  }

  /// Makes the next [#commitIfDue] commit without waiting for the interval.
  void requestCommit() {
    urgent = true;
  }

  /// Starts a commit if it is due. The consumer's polls complete it.
  ///
  /// @throws FencedInstanceIdException if a commit failed because another consumer has this
  ///   instance id
  void commitIfDue() {
    if (fenced != null) {
      throw fenced;
    }
    urgent |= offsets.takeUrgent();
    long now = nanoTime.getAsLong();
    if (pending || now - notBefore < 0 || (!urgent && now - dueAt < 0)) {
      return;
    }
    urgent = false;
    dueAt = now + intervalNanos;
    List<PartitionOffsets.Due> due = offsets.due(metadataFormat);
    if (!due.isEmpty()) {
      pending = true;
      try {
        consumer.commitAsync(offsets(due), (_, failure) -> completed(due, failure));
      } catch (KafkaException e) {
        pending = false;
        urgent = true;
        notBefore = now + RETRY_AFTER.toNanos();
        throw e;
      }
    }
  }

  /// Time until [#commitIfDue] has something to do by itself.
  Duration untilDue() {
    long at = urgent ? notBefore : dueAt;
    return pending
        ? Duration.ofNanos(intervalNanos)
        : Duration.ofNanos(Math.max(0, at - nanoTime.getAsLong()));
  }

  private void completed(List<PartitionOffsets.Due> due, @Nullable Exception failure) {
    pending = false;
    if (failure == null) {
      acknowledge(due);
    } else if (failure instanceof FencedInstanceIdException e) {
      fenced = e;
      return;
    } else {
      log.debug("Kafka refused a commit of offsets, retrying", failure);
      notBefore = nanoTime.getAsLong() + RETRY_AFTER.toNanos();
      urgent = true;
    }
    commitIfDue();
  }

  /// Commits the durable offsets of the partitions, renews stale offset metadata, and waits for
  /// both.
  ///
  /// @return whether Kafka acknowledged it
  boolean commitNow(Collection<SourcePartition> partitions, Duration timeout) {
    List<PartitionOffsets.Due> due =
        offsets.due(metadataFormat).stream()
            .filter(each -> partitions.contains(each.partition()))
            .toList();
    if (due.isEmpty()) {
      return true;
    }
    if (!commitNow(offsets(due), timeout)) {
      return false;
    }
    acknowledge(due);
    return true;
  }

  private boolean commitNow(Map<TopicPartition, OffsetAndMetadata> offsets, Duration timeout) {
    try {
      commitSync(offsets, timeout);
      return true;
    } catch (KafkaException e) {
      log.warn("Cannot commit the offsets of {}: {}", offsets.keySet(), e.toString());
      return false;
    }
  }

  /// Commits; retries once if the consumer was woken up just before.
  private void commitSync(Map<TopicPartition, OffsetAndMetadata> offsets, Duration timeout) {
    try {
      consumer.commitSync(offsets, timeout);
    } catch (WakeupException _) {
      consumer.commitSync(offsets, timeout);
    }
  }

  private void acknowledge(List<PartitionOffsets.Due> due) {
    for (PartitionOffsets.Due each : due) {
      if (offsets.acknowledged(each) && each.ahead()) {
        commands.submit(new Command.OffsetCommitted(each.partition(), each.offset()));
      }
    }
  }

  /// Commits the start positions and waits for it; the caller informs the engine.
  ///
  /// @return whether Kafka acknowledged it
  boolean commitStarts(Map<TopicPartition, PositionFinder.Found> starts, Duration timeout) {
    var offsets = new HashMap<TopicPartition, OffsetAndMetadata>();
    starts.forEach((partition, found) -> {
      long position = found.start().position();
      offsets.put(
          partition,
          metadataFormat.commit(
              found.partition(),
              position,
              position,
              metadataFormat.position().get(),
              found.lastBelow()));
    });
    return !offsets.isEmpty() && commitNow(offsets, timeout);
  }

  private Map<TopicPartition, OffsetAndMetadata> offsets(List<PartitionOffsets.Due> due) {
    var offsets = new HashMap<TopicPartition, OffsetAndMetadata>();
    for (PartitionOffsets.Due each : due) {
      offsets.put(
          new TopicPartition(each.partition().topic(), each.partition().partition()),
          metadataFormat.commit(
              each.partition(), each.offset(), each.startOffset(), each.at(), each.last()));
    }
    return offsets;
  }
}
