package io.taskbroker.ingest;

import io.taskbroker.activation.RecordIdentity;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Watermark;
import io.taskbroker.inflight.Command;
import io.taskbroker.inflight.CommandSink;
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
  private final PartitionOffsets ledgers;
  private final CommandSink intake;
  private final TopicCounts counts;
  private final StartPositionWarnings warnings;
  private final BlockedPartitions standstills;

  private final Map<TopicPartition, SourcePartition> held = new HashMap<>();
  private final Set<TopicPartition> untaken = new HashSet<>();

  /// Unacquired partitions that the store may have granted, and whose rows the engine may have.
  private final Map<TopicPartition, SourcePartition> halfTaken = new HashMap<>();

  private boolean paused;
  private long generation;
  private @Nullable RuntimeException broken;

  AssignedPartitions(
      Consumer<byte[], byte[]> consumer,
      PositionFinder finder,
      OffsetCommits commits,
      PartitionOffsets ledgers,
      CommandSink intake,
      TopicCounts counts,
      LongSupplier nanoTime) {
    this.consumer = consumer;
    this.finder = finder;
    this.commits = commits;
    this.ledgers = ledgers;
    this.intake = intake;
    this.counts = counts;
    this.warnings = new StartPositionWarnings(counts);
    this.standstills = new BlockedPartitions(counts, nanoTime);
  }

  @Override
  public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
    callback(() -> {
      counts.assigned(partitions.size());
      putOff(partitions);
      consumer.wakeup();
    });
  }

  @Override
  public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
    callback(() -> {
      counts.revoked(partitions.size());
      giveUp(partitions, DRAIN_TIMEOUT);
    });
  }

  @Override
  public void onPartitionsLost(Collection<TopicPartition> partitions) {
    callback(() -> {
      counts.revoked(partitions.size());
      lose(partitions);
    });
  }

  /// Runs a rebalance callback. Kafka calls back inside a poll and would hide an exception thrown
  /// here.
  private void callback(Runnable body) {
    ledgers.awake();
    try {
      body.run();
    } catch (RuntimeException e) {
      broken = e;
    }
    if (broken != null || !ledgers.sleep(consumer::wakeup)) {
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

  boolean hasUntaken() {
    if (broken != null) {
      throw new IllegalStateException("A rebalance callback failed", broken);
    }
    return !untaken.isEmpty();
  }

  /// Pauses or resumes reading.
  void pause(boolean pause) {
    if (pause && !paused) {
      consumer.pause(held.keySet());
    } else if (!pause && paused) {
      consumer.resume(held.keySet().stream().filter(each -> !standstills.waits(each)).toList());
    }
    paused = pause;
  }

  /// Seeks to another offset in every partition that is not blocked.
  void seek(ToLongFunction<SourcePartition> where) {
    held.forEach((partition, named) -> {
      if (!standstills.waits(partition)) {
        consumer.seek(partition, where.applyAsLong(named));
        if (!paused) {
          consumer.resume(Set.of(partition));
        }
      }
    });
  }

  /// Pauses a partition until the next [#seek].
  void stopLooking(TopicPartition partition) {
    consumer.pause(Set.of(partition));
  }

  /// Counter of releases and losses of partitions: it grows with each.
  long generation() {
    return generation;
  }

  /// Blocks a partition at an unreadable record; all other partitions go on.
  void standStill(TopicPartition partition, SourcePartition named, String reason) {
    long offset = ledgers.next(named);
    consumer.pause(Set.of(partition));
    consumer.seek(partition, offset);
    standstills.add(partition, offset, reason);
  }

  /// Unblocks a partition: a record of it was read.
  void moved(TopicPartition partition) {
    standstills.moved(partition);
  }

  /// Resumes the blocked partitions whose retry is due.
  void tryStandstills() {
    List<TopicPartition> due = standstills.due();
    if (!paused && !due.isEmpty()) {
      consumer.resume(due);
    }
  }

  /// Whether there are partitions, and all of them are blocked.
  boolean allStandStill() {
    return !held.isEmpty() && standstills.size() == held.size();
  }

  /// Time until the next blocked partition is due for a retry; at most the given time.
  Duration untilDue(Duration longest) {
    return standstills.untilDue(longest);
  }

  /// Acquires the assigned partitions, finds their start positions, and starts them there.
  ///
  /// @throws org.apache.kafka.common.KafkaException if Kafka cannot tell the positions now
  /// @throws PartitionOwnership.Unavailable if the store does not grant the partitions now
  void take() {
    PositionFinder.Topic topic = finder.topic();
    List<SourcePartition> named =
        untaken.stream().map(partition -> finder.named(topic, partition)).toList();
    if (!ledgers.awaitDrained(named, DRAIN_TIMEOUT)) {
      finder.takeUndrained(names(named));
    }
    if (finder.rowsMove()) {
      untaken.forEach(partition -> halfTaken.put(partition, finder.named(topic, partition)));
    }
    Map<TopicPartition, OffsetAndMetadata> offsets = finder.committed(topic, untaken);
    Map<TopicPartition, PositionFinder.Found> found =
        finder.find(topic, finder.take(topic, untaken, offsets), offsets);
    found.values().forEach(warnings::of);
    boolean committed = commit(found);
    found.forEach((partition, each) -> {
      boolean ours = each.start().commit() && committed;
      take(partition, each, ours ? each.start().position() : otherwise(each));
      if (ours) {
        tellCommitted(each.partition(), each.start().position());
      }
      finder.begun(each.partition());
    });
    untaken.removeAll(found.keySet());
    commits.hurry();
  }

  /// The committed offset if the position is not committed. An offset of records that the log has
  /// lost does not count.
  private static long otherwise(PositionFinder.Found found) {
    return found.start().cut() ? Watermark.NONE : found.facts().committed();
  }

  private boolean commit(Map<TopicPartition, PositionFinder.Found> found) {
    var starts = new HashMap<>(found);
    starts.values().removeIf(each -> !each.start().commit());
    return commits.commitStarts(starts, COMMIT_TIMEOUT);
  }

  private void take(TopicPartition partition, PositionFinder.Found found, long committed) {
    SourcePartition named = found.partition();
    long position = found.start().position();
    log.info(
        "Reads {} from offset {}, {} is committed",
        name(named),
        position,
        committed == Watermark.NONE ? "nothing" : committed);
    seek(partition, position, found.lastBelow());
    ledgers.open(named, ledger(found, committed));
    held.put(partition, named);
    halfTaken.remove(partition);
    counts.held(held.size());
    long goneFrom = found.start().cut() ? position : Command.PartitionAssigned.NOTHING_GONE;
    intake.submit(
        new Command.PartitionAssigned(named, committed, reached(found, committed), goneFrom));
    if (found.start().voided()) {
      // The position first: a commit above it would make the old watermark look valid again.
      intake.submit(new Command.Ingest(named, List.of(), position, 0));
      if (committed != Watermark.NONE) {
        tellCommitted(named, committed);
      }
    }
    if (!paused) {
      consumer.resume(Set.of(partition));
    }
  }

  /// Seeks with the leader epoch of the record read before. With it the consumer detects a log that
  /// is truncated from now on, and throws
  /// [org.apache.kafka.clients.consumer.LogTruncationException].
  private void seek(TopicPartition partition, long position, @Nullable RecordIdentity last) {
    if (last == null || last.leaderEpoch() < 0) {
      consumer.seek(partition, position);
    } else {
      consumer.seek(
          partition, new OffsetAndMetadata(position, Optional.of(last.leaderEpoch()), ""));
    }
  }

  /// Offset below which records may have been run before. In a shared store the broker that
  /// committed more left its rows there, unless the store went back.
  private long reached(PositionFinder.Found found, long committed) {
    long reached = found.start().reached();
    return finder.movesRows() ? reached : Math.max(committed, reached);
  }

  private static OffsetLedger ledger(PositionFinder.Found found, long committed) {
    StartingOffsets.Start start = found.start();
    return new OffsetLedger(
        start.position(),
        committed,
        start.commit() ? start.position() : found.facts().low(),
        start.lost() ? committed : Watermark.NONE,
        found.lastBelow());
  }

  private void tellCommitted(SourcePartition partition, long offset) {
    intake.submit(new Command.OffsetCommitted(partition, offset));
  }

  /// Acquires again the partitions whose log does not have their next offset.
  void takeAgain(Collection<TopicPartition> partitions) {
    giveUp(partitions, DRAIN_TIMEOUT);
    putOff(partitions);
  }

  /// Reacquires the partitions whose log was truncated. The consumer detects that by leader epochs,
  /// except when epochs start over, as after a volume was restored.
  void takeCutAgain() {
    Set<TopicPartition> cut;
    try {
      cut = finder.cut(held);
    } catch (KafkaException e) {
      log.debug("Cannot check the logs of {} for truncation", held.keySet(), e);
      cut = Set.copyOf(held.keySet()); // the look-up of their positions detects truncation
    }
    if (!cut.isEmpty()) {
      takeAgain(cut);
    }
  }

  /// Reacquires all partitions if their topic was recreated.
  ///
  /// @param isAnother whether the topic with that UUID no longer exists
  void follow(Predicate<String> isAnother) {
    if (held.isEmpty()) {
      return;
    }
    SourcePartition any = held.values().iterator().next();
    if (isAnother.test(any.topicId())) {
      log.warn(
          "Topic {} was deleted and recreated: reading it from its beginning; tasks in flight of"
              + " the old topic go on",
          any.topic());
      takeAgain(List.copyOf(held.keySet()));
    }
  }

  /// Reacquires the partitions that the store gave to another broker although the group still
  /// assigns them to this one. Either that broker considered them unowned, or the group's next
  /// generation is about to arrive.
  void takeLostAgain() {
    Set<SourcePartition> lost = ledgers.takeLost();
    if (!lost.isEmpty()) {
      log.warn(
          "The store gave {} to another broker: acquiring them again", names(lost));
      List<TopicPartition> again =
          held.entrySet().stream()
              .filter(each -> lost.contains(each.getValue()))
              .map(Map.Entry::getKey)
              .toList();
      lose(again);
      putOff(again);
    }
  }

  private void putOff(Collection<TopicPartition> partitions) {
    untaken.addAll(partitions);
    consumer.pause(partitions);
    // Any position will do; without one the consumer would look for it by itself.
    partitions.forEach(partition -> consumer.seek(partition, 0));
  }

  /// Makes the engine forget the rows it received of partitions that were never started.
  private void forgetHalfTaken(Collection<TopicPartition> partitions) {
    List<SourcePartition> begun =
        partitions.stream().map(halfTaken::remove).filter(Objects::nonNull).toList();
    for (SourcePartition each : begun) {
      ledgers.closing(each);
      intake.submit(new Command.PartitionRevoked(each, true));
    }
    finder.release(begun, false);
  }

  /// Releases partitions: lets the engine finish what it has of them, commits, and forgets them.
  void giveUp(Collection<TopicPartition> partitions, Duration drainTimeout) {
    List<SourcePartition> given = forget(partitions);
    if (given.isEmpty()) {
      return;
    }
    given.forEach(partition -> intake.submit(new Command.PartitionRevoked(partition, false)));
    boolean drained = ledgers.awaitDrained(given, drainTimeout);
    if (!drained) {
      log.warn(
          "Releasing {} with records in flight: they were not durable within {}",
          names(given),
          drainTimeout);
    }
    commits.commitNow(given, COMMIT_TIMEOUT);
    finder.release(given, drained);
    given.forEach(ledgers::close);
  }

  void giveAllUp(Duration drainTimeout) {
    giveUp(List.copyOf(held.keySet()), drainTimeout);
  }

  /// Drops partitions that another member may already have.
  private void lose(Collection<TopicPartition> partitions) {
    List<SourcePartition> lost = forget(partitions);
    for (SourcePartition each : lost) {
      intake.submit(new Command.PartitionRevoked(each, true));
      ledgers.close(each);
    }
    finder.release(lost, false);
  }

  void loseAll() {
    lose(List.copyOf(held.keySet()));
  }

  private List<SourcePartition> forget(Collection<TopicPartition> partitions) {
    generation++;
    standstills.forget(partitions);
    forgetHalfTaken(partitions);
    var forgotten = new ArrayList<SourcePartition>();
    for (TopicPartition partition : partitions) {
      untaken.remove(partition);
      SourcePartition named = held.remove(partition);
      if (named != null) {
        ledgers.closing(named);
        forgotten.add(named);
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
