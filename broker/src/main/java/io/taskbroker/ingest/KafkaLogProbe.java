package io.taskbroker.ingest;

import io.taskbroker.activation.RecordIdentity;
import io.taskbroker.ingest.fetch.BoundedConsumer;
import io.taskbroker.ingest.fetch.FetchLimits;
import io.taskbroker.ingest.fetch.IntakeMemory;
import io.taskbroker.ingest.fetch.PollBudget;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.LogTruncationException;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.TimeoutException;

/// Log probe that asks Kafka. It checks leader epochs first, as every consumer does that knows the
/// epoch of its last record (OffsetForLeaderEpoch), and then the record itself. Epochs tell exactly
/// where a log was truncated. But a cluster with a restored volume uses the same epochs again: then
/// the record has another timestamp, and records written since are younger. Used by one thread.
///
/// It has a consumer of its own, outside of any group, for the duration of the check.
final class KafkaLogProbe implements LogProbe {
  private static final int TIMEOUT_MILLIS = 3000;
  private static final Duration TIMEOUT = Duration.ofMillis(TIMEOUT_MILLIS);
  private static final Duration POLL = Duration.ofMillis(200);

  private final TopicSource source;
  private final Admin admin;
  private final FetchLimits limits;

  /// @param limits of the topic's consumer; they bound the probe's records too
  KafkaLogProbe(TopicSource source, Admin admin, FetchLimits limits) {
    this.source = source;
    this.admin = admin;
    this.limits = limits.withoutValues();
  }

  @Override
  public Map<TopicPartition, Cut> check(Map<TopicPartition, RecordIdentity> read) {
    if (read.isEmpty()) {
      return Map.of();
    }
    Map<TopicPartition, ListOffsetsResultInfo> ends =
        offsets(admin, read.keySet(), OffsetSpec.latest());
    var cuts = new HashMap<TopicPartition, Cut>();
    var suspected = new HashSet<TopicPartition>();
    var budget = new PollBudget(IntakeMemory.unbounded());
    try (Consumer<byte[], byte[]> consumer =
        BoundedConsumer.create(ClientSettings.probe(source), limits, budget, () -> {})) {
      var check = new Check(consumer, read, ends, cuts, suspected);
      check.byEpochs();
      check.byRecords();
    }
    for (TopicPartition partition : Set.copyOf(cuts.keySet())) {
      long younger = firstAfter(partition, Objects.requireNonNull(read.get(partition)));
      cuts.computeIfPresent(
          partition,
          (_, cut) -> younger >= 0 && younger < cut.offset() ? new Cut(younger, false) : cut);
    }
    cuts.putAll(byTime(read, ends, suspected));
    return cuts;
  }

  /// Offset of the first record younger than the given one; negative if there is none.
  private long firstAfter(TopicPartition partition, RecordIdentity read) {
    return read.timestamp() == NO_TIMESTAMP
        ? -1
        : Objects.requireNonNull(
                offsets(admin, Set.of(partition), OffsetSpec.forTimestamp(read.timestamp() + 1))
                    .get(partition))
            .offset();
  }

  /// Cuts found by timestamps: the first record younger than the last one read was written after
  /// the truncation.
  private Map<TopicPartition, Cut> byTime(
      Map<TopicPartition, RecordIdentity> read,
      Map<TopicPartition, ListOffsetsResultInfo> ends,
      Set<TopicPartition> suspected) {
    var cuts = new HashMap<TopicPartition, Cut>();
    for (TopicPartition partition : suspected) {
      RecordIdentity last = Objects.requireNonNull(read.get(partition));
      long end = Objects.requireNonNull(ends.get(partition)).offset();
      long younger = firstAfter(partition, last);
      if (younger >= 0 && younger <= last.offset()) {
        cuts.put(partition, new Cut(younger, false));
      } else {
        // If the log ends before the last record read, nothing was written since; otherwise nothing
        // is known.
        cuts.put(partition, new Cut(end <= last.offset() ? end : 0, false));
      }
    }
    return cuts;
  }

  /// Offsets of the partitions, as the admin client gets them in three seconds.
  ///
  /// @throws KafkaException if it does not get all of them
  static Map<TopicPartition, ListOffsetsResultInfo> offsets(
      Admin admin, Set<TopicPartition> partitions, OffsetSpec spec) {
    var asked = new HashMap<TopicPartition, OffsetSpec>();
    partitions.forEach(partition -> asked.put(partition, spec));
    try {
      return admin
          .listOffsets(
              asked,
              new ListOffsetsOptions(IsolationLevel.READ_COMMITTED).timeoutMs(TIMEOUT_MILLIS))
          .all()
          .get(TIMEOUT_MILLIS, TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      throw e.getCause() instanceof KafkaException cause ? cause : new KafkaException(e);
    } catch (java.util.concurrent.TimeoutException e) {
      throw new TimeoutException("No answer within " + TIMEOUT, e);
    } catch (InterruptedException e) {
      throw new InterruptException(e);
    }
  }

  /// One check of some partitions.
  ///
  /// @param suspected partitions whose log differs, from an unknown offset on
  private record Check(
      Consumer<byte[], byte[]> consumer,
      Map<TopicPartition, RecordIdentity> read,
      Map<TopicPartition, ListOffsetsResultInfo> ends,
      Map<TopicPartition, Cut> cuts,
      Set<TopicPartition> suspected) {

    /// Assigns the undecided partitions, ready to be polled at the record that was read.
    private void assign(Set<TopicPartition> open) {
      consumer.assign(open);
      for (TopicPartition partition : open) {
        RecordIdentity last = Objects.requireNonNull(read.get(partition));
        Optional<Integer> epoch =
            last.leaderEpoch() < 0 ? Optional.empty() : Optional.of(last.leaderEpoch());
        // One past the record: an epoch that ends there is complete.
        consumer.seek(partition, new OffsetAndMetadata(last.offset() + 1, epoch, ""));
      }
    }

    private Set<TopicPartition> open() {
      var open = new HashSet<>(read.keySet());
      open.removeAll(cuts.keySet());
      open.removeAll(suspected);
      return open;
    }

    private void byEpochs() {
      read.forEach((partition, last) -> {
        int now = Objects.requireNonNull(ends.get(partition)).leaderEpoch().orElse(-1);
        if (now >= 0 && last.leaderEpoch() > now) {
          suspected.add(partition); // the cluster's epochs do not reach so far
        }
      });
      Set<TopicPartition> open = open();
      consumer.assign(open);
      // Discovers the leaders: the consumer checks no position against an unknown leader.
      var _ = consumer.endOffsets(open, TIMEOUT);
      assign(open);
      var asked = new HashSet<>(open);
      while (!asked.isEmpty()) {
        TopicPartition next = asked.iterator().next();
        try {
          long _ = consumer.position(next, TIMEOUT);
          asked.remove(next);
        } catch (LogTruncationException e) {
          e.offsetOutOfRangePartitions().keySet().forEach(suspected::add);
          e.divergentOffsets()
              .forEach((partition, divergent) -> {
                suspected.remove(partition);
                cuts.put(partition, new Cut(divergent.offset(), true));
              });
          asked.removeAll(cuts.keySet());
          asked.removeAll(suspected);
          assign(asked);
        }
      }
    }

    private void byRecords() {
      Set<TopicPartition> open = open();
      for (TopicPartition partition : open) {
        if (Objects.requireNonNull(read.get(partition)).offset()
            >= Objects.requireNonNull(ends.get(partition)).offset()) {
          suspected.add(partition);
        }
      }
      open.removeAll(suspected);
      consumer.assign(open);
      open.forEach(partition ->
          consumer.seek(partition, Objects.requireNonNull(read.get(partition)).offset()));
      long deadline = System.nanoTime() + TIMEOUT.toNanos();
      while (!open.isEmpty()) {
        if (System.nanoTime() - deadline > 0) {
          throw new TimeoutException("Cannot read the last records of " + open + " in time");
        }
        try {
          poll(open);
        } catch (OffsetOutOfRangeException e) {
          // The record is no longer retained, or the log was truncated just now: reading detects
          // that.
          open.removeAll(e.partitions());
          consumer.assign(open);
        }
      }
    }

    private void poll(Set<TopicPartition> open) {
      var records = consumer.poll(POLL);
      for (TopicPartition partition : records.nextOffsets().keySet()) {
        RecordIdentity last = Objects.requireNonNull(read.get(partition));
        for (ConsumerRecord<byte[], byte[]> first : records.records(partition)) {
          if (first.offset() == last.offset() && !isSame(first, last)) {
            suspected.add(partition);
          }
          break; // a record that is not there was compacted away
        }
        open.remove(partition);
        consumer.pause(Set.of(partition));
      }
    }

    /// Whether the record is the one that was read. A damaged record, or one of an oversized batch,
    /// has no timestamp.
    private static boolean isSame(ConsumerRecord<byte[], byte[]> record, RecordIdentity last) {
      RecordIdentity found = RecordDecoder.identity(record);
      return (last.leaderEpoch() < 0
              || found.leaderEpoch() < 0
              || found.leaderEpoch() == last.leaderEpoch())
          && (last.timestamp() == NO_TIMESTAMP
              || found.timestamp() == NO_TIMESTAMP
              || found.timestamp() == last.timestamp());
    }
  }
}
