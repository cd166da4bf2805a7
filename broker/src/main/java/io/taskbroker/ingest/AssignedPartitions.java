package io.taskbroker.ingest;

import io.taskbroker.activation.RecordIdentity;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Watermark;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Rebalance listener that acquires, drains and releases the partitions of one topic. The group may
/// move all of them at once or some of them (W16). Used by the reader's thread only.
///
/// An assigned partition stays paused until its start position is known. So a rebalance never waits
/// for that look-up, and a failed look-up can be retried. A revoked partition is drained and
/// committed before the callback returns (H17).
final class AssignedPartitions implements ConsumerRebalanceListener {
  private static final Logger log = LoggerFactory.getLogger(AssignedPartitions.class);
  private static final Duration DRAIN_TIMEOUT = Duration.ofSeconds(4);
  private static final Duration COMMIT_TIMEOUT = Duration.ofSeconds(2);

  private final Consumer<byte[], byte[]> consumer;
  private final PositionFinder finder;
  private final OffsetCommits commits;
  private final PartitionOffsets offsets;
  private final CommandSink commands;
  private final TopicCounts counts;
  private final StartPositionWarnings warnings;
  private final BlockedPartitions blocked;

  private final Map<TopicPartition, SourcePartition> held = new HashMap<>();
  private final Set<TopicPartition> unacquired = new HashSet<>();

  /// Unacquired partitions that the store may have granted, and whose rows the engine may have.
  private final Map<TopicPartition, SourcePartition> partlyAcquired = new HashMap<>();

  private final Set<TopicPartition> acquiredOnce = new HashSet<>();

  private boolean paused;
  private long generation;
  private @Nullable RuntimeException rebalanceFailure;

  AssignedPartitions(
      Consumer<byte[], byte[]> consumer,
      PositionFinder finder,
      OffsetCommits commits,
      PartitionOffsets offsets,
      CommandSink commands,
      TopicCounts counts,
      LongSupplier nanoTime) {
    this.consumer = consumer;
    this.finder = finder;
    this.commits = commits;
    this.offsets = offsets;
    this.commands = commands;
    this.counts = counts;
    this.warnings = new StartPositionWarnings(counts);
    this.blocked = new BlockedPartitions(counts, nanoTime);
  }

  @Override
  public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
    callback(() -> {
      counts.assigned(partitions.size());
      defer(partitions);
      consumer.wakeup();
    });
  }

  @Override
  public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
    callback(() -> {
      counts.revoked(partitions.size());
      release(partitions, DRAIN_TIMEOUT);
    });
  }

  @Override
  public void onPartitionsLost(Collection<TopicPartition> partitions) {
    callback(() -> {
      counts.revoked(partitions.size());
      drop(partitions);
    });
  }

  /// Runs a rebalance callback. Kafka calls back inside a poll and would hide an exception thrown
  /// here.
  private void callback(Runnable body) {
    offsets.awake();
    try {
      body.run();
    } catch (RuntimeException e) {
      rebalanceFailure = e;
    }
    if (rebalanceFailure != null || !offsets.sleep(consumer::wakeup)) {
      consumer.wakeup();
    }
  }

  /// The partition as the engine knows it; null if none of its records may be handed over.
  @Nullable SourcePartition held(TopicPartition partition) {
    return held.get(partition);
  }

  /// All acquired partitions; a view.
  Map<TopicPartition, SourcePartition> held() {
    return Collections.unmodifiableMap(held);
  }

  boolean isPaused() {
    return paused;
  }

  boolean hasUnacquired() {
    if (rebalanceFailure != null) {
      throw new IllegalStateException("A rebalance callback failed", rebalanceFailure);
    }
    return !unacquired.isEmpty();
  }

  /// The assigned partitions without a start position; a view.
  Set<TopicPartition> unacquired() {
    return Collections.unmodifiableSet(unacquired);
  }

  /// Pauses or resumes reading.
  void pause(boolean pause) {
    if (pause && !paused) {
      consumer.pause(held.keySet());
    } else if (!pause && paused) {
      consumer.resume(held.keySet().stream().filter(each -> !blocked.isWaiting(each)).toList());
    }
    paused = pause;
  }

  /// Seeks to another offset in every partition that is not blocked.
  void seek(ToLongFunction<SourcePartition> where) {
    held.forEach((partition, sourcePartition) -> {
      if (!blocked.isWaiting(partition)) {
        consumer.seek(partition, where.applyAsLong(sourcePartition));
        if (!paused) {
          consumer.resume(Set.of(partition));
        }
      }
    });
  }

  /// Pauses a partition until the next [#seek].
  void pauseUntilSeek(TopicPartition partition) {
    consumer.pause(Set.of(partition));
  }

  /// Counter of releases and losses of partitions: it grows with each.
  long generation() {
    return generation;
  }

  /// Blocks a partition at an unreadable record; all other partitions go on.
  void block(TopicPartition partition, SourcePartition sourcePartition, String reason) {
    long offset = offsets.next(sourcePartition);
    consumer.pause(Set.of(partition));
    consumer.seek(partition, offset);
    blocked.add(partition, offset, reason);
  }

  /// Unblocks a partition: a record of it was read.
  void unblock(TopicPartition partition) {
    blocked.unblock(partition);
  }

  /// Resumes the blocked partitions whose retry is due.
  void retryBlocked() {
    List<TopicPartition> due = blocked.due();
    if (!paused && !due.isEmpty()) {
      consumer.resume(due);
    }
  }

  /// Whether there are partitions, and all of them are blocked.
  boolean allBlocked() {
    return !held.isEmpty() && blocked.size() == held.size();
  }

  /// Time until the next blocked partition is due for a retry; at most the given time.
  Duration untilDue(Duration longest) {
    return blocked.untilDue(longest);
  }

  /// Acquires the assigned partitions, finds their start positions, and starts them there.
  ///
  /// @throws org.apache.kafka.common.KafkaException if Kafka cannot tell the positions now
  /// @throws PartitionOwnership.Unavailable if the store does not grant the partitions now
  void acquire() {
    PositionFinder.Topic topic = finder.topic();
    List<SourcePartition> sourcePartitions =
        unacquired.stream().map(partition -> finder.sourcePartition(topic, partition)).toList();
    if (!offsets.awaitDrained(sourcePartitions, DRAIN_TIMEOUT)) {
      finder.requireDrained(names(sourcePartitions));
    }
    if (finder.movesRows()) {
      unacquired.forEach(
          partition -> partlyAcquired.put(partition, finder.sourcePartition(topic, partition)));
    }
    Map<TopicPartition, OffsetAndMetadata> committedOffsets = finder.committed(topic, unacquired);
    Map<TopicPartition, PositionFinder.Found> found =
        finder.find(topic, take(topic, committedOffsets), committedOffsets);
    found.values().forEach(warnings::of);
    boolean committed = commit(found);
    found.forEach((partition, each) -> {
      boolean isCommitted = each.start().commit() && committed;
      acquire(partition, each, isCommitted ? each.start().position() : committedBefore(each));
      if (isCommitted) {
        reportCommitted(each.partition(), each.start().position());
      }
      finder.started(each.partition());
    });
    unacquired.removeAll(found.keySet());
    commits.requestCommit();
  }

  private Set<TopicPartition> take(
      PositionFinder.Topic topic, Map<TopicPartition, OffsetAndMetadata> committedOffsets) {
    try {
      return finder.acquire(topic, unacquired, committedOffsets);
    } catch (PartitionOwnership.Interrupted e) {
      drop(e.partition());
      throw e;
    }
  }

  /// The committed offset if the position is not committed. An offset of records that the log has
  /// lost does not count.
  private static long committedBefore(PositionFinder.Found found) {
    StartingOffsets.Start start = found.start();
    long committed = found.facts().committed();
    boolean lost =
        found.facts().isCommittedLost() || (start.cut() != null && committed > start.position());
    return lost ? Watermark.NONE : committed;
  }

  private boolean commit(Map<TopicPartition, PositionFinder.Found> found) {
    var starts = new HashMap<>(found);
    starts.values().removeIf(each -> !each.start().commit());
    return commits.commitStarts(starts, COMMIT_TIMEOUT);
  }

  private void acquire(TopicPartition partition, PositionFinder.Found found, long committed) {
    SourcePartition sourcePartition = found.partition();
    long position = found.start().position();
    log.info(
        "Reads {} from offset {}, {} is committed",
        name(sourcePartition),
        position,
        committed == Watermark.NONE ? "nothing" : committed);
    seek(partition, position, found.lastBelow());
    offsets.open(sourcePartition, ledger(found, committed));
    held.put(partition, sourcePartition);
    partlyAcquired.remove(partition);
    counts.held(held.size());
    boolean first = acquiredOnce.add(partition);
    commands.submit(
        new Command.PartitionAssigned(
            sourcePartition, committed, reached(found, committed), goneFrom(found, first)));
    if (found.start().voided()) {
      // The position first: a commit above it would make the old watermark look valid again.
      commands.submit(
          new Command.Ingest(sourcePartition, List.of(), position, 0, found.lastBelow()));
      if (committed != Watermark.NONE) {
        reportCommitted(sourcePartition, committed);
      }
    }
    if (!paused) {
      consumer.resume(Set.of(partition));
    }
  }

  /// Offset from which on the log does not have what was read, whatever the position follows from.
  /// What an earlier process noticed shows in the end of the log only.
  private static long goneFrom(PositionFinder.Found found, boolean first) {
    long goneFrom = first ? found.facts().logEnd() : Command.PartitionAssigned.NOTHING_GONE;
    LogProbe.Cut cut = found.start().cut();
    LogProbe.Cut ofWatermark = found.facts().watermarkCut();
    goneFrom = cut == null ? goneFrom : Math.min(goneFrom, cut.offset());
    return ofWatermark == null ? goneFrom : Math.min(goneFrom, ofWatermark.offset());
  }

  /// Seeks with the leader epoch of the record read before. With it the consumer detects a log that
  /// is truncated from now on, and throws
  /// [org.apache.kafka.clients.consumer.LogTruncationException]. The epoch of an earlier record may
  /// end below the position, which would look like a truncation for ever.
  private void seek(TopicPartition partition, long position, @Nullable RecordIdentity last) {
    if (last == null || last.leaderEpoch() < 0 || last.offset() != position - 1) {
      consumer.seek(partition, position);
    } else {
      consumer.seek(
          partition, new OffsetAndMetadata(position, Optional.of(last.leaderEpoch()), ""));
    }
  }

  /// Offset below which records may have been run before. In a shared store the broker that
  /// committed more left its rows there, unless the store went back.
  private long reached(PositionFinder.Found found, long committed) {
    StartingOffsets.Start start = found.start();
    if (finder.movesRows()) {
      return start.reached();
    }
    // Others may have committed them before, also together with records that the log has lost
    // since.
    // Where the log was truncated, no other broker has committed the position that this one
    // commits.
    long before = Math.min(found.facts().committed(), start.position());
    boolean truncated = start.cut() != null && start.cut().exact() && before != Watermark.NONE;
    return Math.max(truncated ? before : Math.max(committed, before), start.reached());
  }

  private static OffsetLedger ledger(PositionFinder.Found found, long committed) {
    StartingOffsets.Start start = found.start();
    return new OffsetLedger(
        start.position(),
        committed,
        start.commit() ? start.position() : found.facts().startOffset(),
        start.lost() ? committed : Watermark.NONE,
        found.lastBelow());
  }

  private void reportCommitted(SourcePartition partition, long offset) {
    commands.submit(new Command.OffsetCommitted(partition, offset));
  }

  /// Acquires again the partitions whose log does not have their next offset.
  void reacquire(Collection<TopicPartition> partitions) {
    release(partitions, DRAIN_TIMEOUT);
    defer(partitions);
  }

  /// Reacquires the partitions whose log was truncated. The consumer detects that by leader epochs,
  /// except when epochs start over, as after a volume was restored.
  void reacquireTruncated() {
    Set<TopicPartition> cut;
    try {
      cut = finder.cut(held);
    } catch (KafkaException e) {
      log.debug("Cannot check the logs of {} for truncation", held.keySet(), e);
      cut = Set.copyOf(held.keySet()); // the look-up of their positions detects truncation
    }
    if (!cut.isEmpty()) {
      reacquire(cut);
    }
  }

  /// Reacquires all partitions if their topic was recreated.
  ///
  /// @param isRecreated whether the topic with that UUID no longer exists
  void reacquireIfRecreated(Predicate<String> isRecreated) {
    if (held.isEmpty()) {
      return;
    }
    SourcePartition any = held.values().iterator().next();
    if (isRecreated.test(any.topicId())) {
      log.warn(
          "Topic {} was deleted and recreated: reading it from its beginning; tasks in flight of"
              + " the old topic go on",
          any.topic());
      reacquire(List.copyOf(held.keySet()));
    }
  }

  /// Reacquires the partitions that the store gave to another broker although the group still
  /// assigns them to this one. Either that broker considered them unowned, or the group's next
  /// generation is about to arrive.
  void reacquireLost() {
    Set<SourcePartition> lost = offsets.takeLost();
    if (!lost.isEmpty()) {
      log.warn("The store gave {} to another broker: acquiring them again", names(lost));
      List<TopicPartition> again =
          held.entrySet().stream()
              .filter(each -> lost.contains(each.getValue()))
              .map(Map.Entry::getKey)
              .toList();
      drop(again);
      defer(again);
    }
  }

  private void defer(Collection<TopicPartition> partitions) {
    unacquired.addAll(partitions);
    consumer.pause(partitions);
    // Any position will do; without one the consumer would look for it by itself.
    partitions.forEach(partition -> consumer.seek(partition, 0));
  }

  /// Makes the engine forget the rows it received of partitions that were never started.
  private void forgetPartlyAcquired(Collection<TopicPartition> partitions) {
    List<SourcePartition> begun =
        partitions.stream().map(partlyAcquired::remove).filter(Objects::nonNull).toList();
    begun.forEach(this::drop);
    finder.release(begun, false);
  }

  /// Makes the engine forget the rows of a partition that was never started.
  private void drop(SourcePartition partition) {
    offsets.closing(partition);
    commands.submit(new Command.PartitionRevoked(partition, true));
  }

  /// Releases partitions: lets the engine finish what it has of them, commits, and forgets them.
  void release(Collection<TopicPartition> partitions, Duration drainTimeout) {
    List<SourcePartition> released = forget(partitions);
    if (released.isEmpty()) {
      return;
    }
    released.forEach(partition -> commands.submit(new Command.PartitionRevoked(partition, false)));
    boolean drained = offsets.awaitDrained(released, drainTimeout);
    if (!drained) {
      log.warn(
          "Releasing {} with records in flight: they were not durable within {}",
          names(released),
          drainTimeout);
    }
    commits.commitNow(released, COMMIT_TIMEOUT);
    finder.release(released, drained);
    released.forEach(offsets::close);
  }

  /// Releases all partitions, those that are being acquired included.
  void releaseAll(Duration drainTimeout) {
    release(all(), drainTimeout);
  }

  private List<TopicPartition> all() {
    return Stream.concat(held.keySet().stream(), unacquired.stream()).toList();
  }

  /// Drops partitions that another member may already have.
  private void drop(Collection<TopicPartition> partitions) {
    List<SourcePartition> lost = forget(partitions);
    for (SourcePartition each : lost) {
      commands.submit(new Command.PartitionRevoked(each, true));
      offsets.close(each);
    }
    finder.release(lost, false);
  }

  void dropAll() {
    drop(all());
  }

  private List<SourcePartition> forget(Collection<TopicPartition> partitions) {
    generation++;
    blocked.forget(partitions);
    forgetPartlyAcquired(partitions);
    var forgotten = new ArrayList<SourcePartition>();
    for (TopicPartition partition : partitions) {
      unacquired.remove(partition);
      SourcePartition sourcePartition = held.remove(partition);
      if (sourcePartition != null) {
        offsets.closing(sourcePartition);
        forgotten.add(sourcePartition);
      }
    }
    counts.held(held.size());
    return forgotten;
  }

  private static List<String> names(Collection<SourcePartition> partitions) {
    return partitions.stream().map(AssignedPartitions::name).toList();
  }

  static String name(SourcePartition partition) {
    return partition.topic() + "-" + partition.partition();
  }
}
