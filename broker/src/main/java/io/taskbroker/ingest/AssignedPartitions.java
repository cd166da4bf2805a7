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

/// The partitions of one topic that the group gave to this broker, and what happens when it gives
/// and takes them: all at once or some of them (W16). Used by the reader's thread only.
///
/// A partition that is given is paused until it is known where to begin, so that a rebalance never
/// waits for that and a failure to find out can be tried again. One that is taken is drained and
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

  /// Those of the untaken that the store may have given, and the engine may have rows of.
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

  /// Kafka calls back in the middle of a poll, and would hide what goes wrong there.
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

  /// The partition as the engine knows it; null if nothing of it may be handed over.
  @Nullable SourcePartition held(TopicPartition partition) {
    return held.get(partition);
  }

  /// All of them; a view.
  Map<TopicPartition, SourcePartition> held() {
    return Collections.unmodifiableMap(held);
  }

  boolean isPaused() {
    return paused;
  }

  boolean hasUntaken() {
    if (broken != null) {
      throw new IllegalStateException("A rebalance could not be followed", broken);
    }
    return !untaken.isEmpty();
  }

  /// Pauses reading, or goes on with it.
  void pause(boolean pause) {
    if (pause && !paused) {
      consumer.pause(held.keySet());
    } else if (!pause && paused) {
      consumer.resume(held.keySet().stream().filter(each -> !standstills.waits(each)).toList());
    }
    paused = pause;
  }

  /// Goes on elsewhere, in all partitions that can be read.
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

  /// Grows whenever partitions are given up, or lost.
  long generation() {
    return generation;
  }

  /// Stops reading a partition at what cannot be read, while all others go on.
  void standStill(TopicPartition partition, SourcePartition named, String reason) {
    long offset = ledgers.next(named);
    consumer.pause(Set.of(partition));
    consumer.seek(partition, offset);
    standstills.add(partition, offset, reason);
  }

  /// Something of the partition was read.
  void moved(TopicPartition partition) {
    standstills.moved(partition);
  }

  /// Tries again what could not be read, if it is time.
  void tryStandstills() {
    List<TopicPartition> due = standstills.due();
    if (!paused && !due.isEmpty()) {
      consumer.resume(due);
    }
  }

  /// Whether there are partitions to be read, and none of them can be.
  boolean allStandStill() {
    return !held.isEmpty() && standstills.size() == held.size();
  }

  /// When a partition that stands still is due, if that is before the given time has passed.
  Duration untilDue(Duration longest) {
    return standstills.untilDue(longest);
  }

  /// Finds out where to begin the partitions that were given, and begins there.
  ///
  /// @throws org.apache.kafka.common.KafkaException if that cannot be found out now
  /// @throws PartitionOwnership.Unavailable if the store does not give them now
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

  /// What is committed if the position is not. An offset of records that are gone counts for
  /// nothing.
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
        "Reads {} from offset {} on, {} is committed",
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
      // The position first: a commit above it would make the old watermark look right again.
      intake.submit(new Command.Ingest(named, List.of(), position, 0));
      if (committed != Watermark.NONE) {
        tellCommitted(named, committed);
      }
    }
    if (!paused) {
      consumer.resume(Set.of(partition));
    }
  }

  /// With the epoch of what was read before, the consumer notices a log that is cut off from now
  /// on, and fails by a [org.apache.kafka.clients.consumer.LogTruncationException].
  private void seek(TopicPartition partition, long position, @Nullable RecordIdentity last) {
    if (last == null || last.leaderEpoch() < 0) {
      consumer.seek(partition, position);
    } else {
      consumer.seek(
          partition, new OffsetAndMetadata(position, Optional.of(last.leaderEpoch()), ""));
    }
  }

  /// Below which offset what comes may have been run before. In a store that brokers share, whoever
  /// committed more has left its rows there, unless the store went back.
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

  /// Finds out anew where to begin partitions whose log does not have the offset to come next.
  void takeAgain(Collection<TopicPartition> partitions) {
    giveUp(partitions, DRAIN_TIMEOUT);
    putOff(partitions);
  }

  /// Begins partitions anew whose log is not the one that was read. Epochs show that to the
  /// consumer, unless they are counted again, as after a volume was put back.
  void takeCutAgain() {
    Set<TopicPartition> cut;
    try {
      cut = finder.cut(held);
    } catch (KafkaException e) {
      log.debug("Cannot look whether {} are what they were", held.keySet(), e);
      cut = Set.copyOf(held.keySet()); // it is found out when they are taken
    }
    if (!cut.isEmpty()) {
      takeAgain(cut);
    }
  }

  /// Begins all partitions anew if their topic is another than it was.
  ///
  /// @param isAnother whether the topic of that UUID is no more
  void follow(Predicate<String> isAnother) {
    if (held.isEmpty()) {
      return;
    }
    SourcePartition any = held.values().iterator().next();
    if (isAnother.test(any.topicId())) {
      log.warn(
          "Topic {} was deleted and made again: reads it from its beginning; what is in flight of"
              + " the old one goes on",
          any.topic());
      takeAgain(List.copyOf(held.keySet()));
    }
  }

  /// Takes anew what the store gave to another broker although the group left it with this one:
  /// that broker took it for nobody's, or the group's next generation is on its way.
  void takeLostAgain() {
    Set<SourcePartition> lost = ledgers.takeLost();
    if (!lost.isEmpty()) {
      log.warn(
          "The store does not leave {} to this broker any more: asks for them again", names(lost));
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

  /// Has the engine forget what it was told of partitions that were never begun.
  private void forgetHalfTaken(Collection<TopicPartition> partitions) {
    List<SourcePartition> begun =
        partitions.stream().map(halfTaken::remove).filter(Objects::nonNull).toList();
    for (SourcePartition each : begun) {
      ledgers.closing(each);
      intake.submit(new Command.PartitionRevoked(each, true));
    }
    finder.release(begun, false);
  }

  /// Lets the engine finish what it has of the partitions, commits it, and forgets them.
  void giveUp(Collection<TopicPartition> partitions, Duration drainTimeout) {
    List<SourcePartition> given = forget(partitions);
    if (given.isEmpty()) {
      return;
    }
    given.forEach(partition -> intake.submit(new Command.PartitionRevoked(partition, false)));
    boolean drained = ledgers.awaitDrained(given, drainTimeout);
    if (!drained) {
      log.warn(
          "Gives {} up with records under way: they were not durable within {}",
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

  /// Forgets partitions that somebody else may have already.
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
