package io.taskbroker.ingest;

import io.taskbroker.activation.RecordIdentity;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.StorePosition;
import io.taskbroker.activation.Watermark;
import io.taskbroker.ingest.fetch.IntakeMemory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The ledgers of the partitions of one topic, and the bound on what of it is with the engine (G7).
///
/// Thread-safe: the reader opens and closes ledgers, the engine settles them. The engine wakes the
/// reader only if the reader sleeps and has something to do now. Nothing here blocks but
/// [#awaitDrained].
final class PartitionOffsets {
  private final long maxRecords;
  private final long maxBytes;
  private final IntakeMemory memory;
  private final Waiting waiting;
  private final Map<SourcePartition, OffsetLedger> ledgers = new HashMap<>();

  /// What is durable of partitions that have no ledger now.
  private final Map<SourcePartition, Watermark> marks = new HashMap<>();

  /// Revoked partitions that the engine still works on.
  private final Set<SourcePartition> undrained = new HashSet<>();

  /// Partitions that the store took away, whatever the group says.
  private final Set<SourcePartition> lost = new HashSet<>();

  /// The applications at their limit that partitions stand for, as the engine says.
  private final Map<SourcePartition, String> standing = new HashMap<>();

  private long records;
  private long bytes;
  private boolean full;
  private boolean urgent;
  private boolean stopping;
  private @Nullable Runnable waker;

  PartitionOffsets(long maxRecords, long maxBytes) {
    this(maxRecords, maxBytes, Object::wait);
  }

  PartitionOffsets(long maxRecords, long maxBytes, Waiting waiting) {
    this(maxRecords, maxBytes, IntakeMemory.unbounded(), waiting);
  }

  /// @param memory what it has in common with the ledgers of other topics
  PartitionOffsets(long maxRecords, long maxBytes, IntakeMemory memory, Waiting waiting) {
    this.maxRecords = maxRecords;
    this.maxBytes = maxBytes;
    this.memory = memory;
    this.waiting = waiting;
  }

  /// How to wait for what another thread does.
  interface Waiting {
    /// Returns when the monitor, which the caller holds, is notified, when the time is up, or for
    /// no reason.
    void await(Object monitor, long millis) throws InterruptedException;

    default long nanoTime() {
      return System.nanoTime();
    }
  }

  /// What the store knows.
  synchronized void remember(Collection<Watermark> stored) {
    stored.forEach(mark -> marks.put(mark.partition(), mark));
  }

  synchronized @Nullable Watermark watermark(SourcePartition partition) {
    return marks.get(partition);
  }

  /// Whether any partition of the same topic, cluster and group has a watermark.
  synchronized boolean knowTopicOf(SourcePartition partition) {
    return knowTopicOf(marks.keySet(), partition) || knowTopicOf(ledgers.keySet(), partition);
  }

  private static boolean knowTopicOf(Set<SourcePartition> known, SourcePartition partition) {
    return known.stream()
        .anyMatch(other ->
            other.topicId().equals(partition.topicId())
                && other.cluster().equals(partition.cluster())
                && other.group().equals(partition.group()));
  }

  synchronized void open(SourcePartition partition, long position, long committed) {
    open(partition, new OffsetLedger(position, committed));
  }

  synchronized void open(SourcePartition partition, OffsetLedger ledger) {
    ledgers.put(partition, ledger);
  }

  /// To be called before the engine is told.
  ///
  /// @param last the last record; null if there was none
  synchronized void handedOver(
      SourcePartition partition, long next, int count, long size, @Nullable RecordIdentity last) {
    OffsetLedger ledger = ledgers.get(partition);
    if (ledger == null) {
      throw new IllegalStateException("Nothing of " + partition + " may be handed over");
    }
    ledger.handedOver(next, count, size, last);
    records += count;
    count(size);
  }

  private void count(long more) {
    bytes += more;
    memory.add(more);
  }

  /// Where what was not handed over of a partition begins.
  synchronized long next(SourcePartition partition) {
    OffsetLedger ledger = ledgers.get(partition);
    if (ledger == null) {
      throw new IllegalStateException("Nothing is handed over of " + partition);
    }
    return ledger.handedOver();
  }

  /// How many messages of a partition are not durable.
  ///
  /// @param unread how many were not handed over when the last were fetched, if that is known
  /// @param atLeast an offset that its log had reached
  /// @return empty if nothing is known of its end
  synchronized OptionalLong undurable(
      SourcePartition partition, OptionalLong unread, long atLeast) {
    OffsetLedger ledger = ledgers.get(partition);
    if (ledger == null || (unread.isEmpty() && atLeast < 0)) {
      return OptionalLong.empty();
    }
    long end = Math.max(atLeast, ledger.handedOver() + unread.orElse(0));
    return OptionalLong.of(end - ledger.durable());
  }

  /// How many bytes may be handed over until the bound.
  synchronized long room() {
    return Math.max(0, maxBytes - bytes);
  }

  /// The record of the partition that was handed over last; null if none is known.
  synchronized @Nullable RecordIdentity lastRead(SourcePartition partition) {
    OffsetLedger ledger = ledgers.get(partition);
    return ledger == null ? null : ledger.lastRead();
  }

  /// The engine says that everything below `next` is durable.
  synchronized void consumed(
      SourcePartition partition, long next, int count, long size, boolean commitNow) {
    OffsetLedger ledger = ledgers.get(partition);
    if (ledger == null) {
      advanceMark(partition, next);
      return;
    }
    records -= ledger.records();
    long before = ledger.bytes();
    ledger.settled(next, count, size);
    records += ledger.records();
    count(ledger.bytes() - before);
    urgent |= commitNow;
    wakeIfWanted();
  }

  /// What the engine ends after a partition was given up is durable all the same.
  private void advanceMark(SourcePartition partition, long next) {
    Watermark mark = marks.get(partition);
    if (mark != null && undrained.contains(partition) && mark.next() < next) {
      marks.put(partition, mark.movedTo(next, null));
    }
  }

  /// The engine says that the partition stands for an application at its limit; for none if that is
  /// null.
  synchronized void stands(SourcePartition partition, @Nullable String application) {
    if (application == null || !ledgers.containsKey(partition)) {
      standing.remove(partition);
    } else {
      standing.put(partition, application);
    }
  }

  /// The applications that partitions stand for.
  synchronized Set<String> standing() {
    return Set.copyOf(standing.values());
  }

  /// To be called before the engine is told that the partition is revoked.
  synchronized void closing(SourcePartition partition) {
    undrained.add(partition);
  }

  /// The engine says that nothing of a revoked partition is under way any more.
  synchronized void drained(SourcePartition partition) {
    undrained.remove(partition);
    notifyAll();
  }

  /// The engine says that the store gave the partition to another broker.
  synchronized void lost(SourcePartition partition) {
    if (ledgers.containsKey(partition)) {
      lost.add(partition);
      wakeIfWanted();
    }
  }

  /// The partitions that were lost and not taken note of yet.
  synchronized Set<SourcePartition> takeLost() {
    if (lost.isEmpty()) {
      return Set.of();
    }
    Set<SourcePartition> taken = Set.copyOf(lost);
    lost.clear();
    return taken;
  }

  /// Waits until the engine has drained the partitions.
  ///
  /// @return whether it has, in that time
  synchronized boolean awaitDrained(Collection<SourcePartition> partitions, Duration timeout) {
    long end = waiting.nanoTime() + timeout.toNanos();
    try {
      while (!Collections.disjoint(undrained, partitions)) {
        long millis = Duration.ofNanos(end - waiting.nanoTime()).toMillis();
        if (millis <= 0) {
          return false;
        }
        waiting.await(this, millis);
      }
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /// Ends the ledger; what was durable is remembered, should the partition come back.
  synchronized void close(SourcePartition partition) {
    OffsetLedger ledger = ledgers.remove(partition);
    lost.remove(partition);
    standing.remove(partition);
    if (ledger != null) {
      records -= ledger.records();
      count(-ledger.bytes());
      marks.put(
          partition, new Watermark(partition, ledger.durable(), ledger.committed(), ledger.last()));
    }
  }

  /// The offsets that are durable and not committed, and those whose notes are stale.
  synchronized List<Due> due(OffsetMetadataFormat notes) {
    var due = new ArrayList<Due>();
    StorePosition handedOut = notes.handedOut().get();
    StorePosition at = notes.position().get();
    ledgers.forEach((partition, ledger) -> {
      long low = notes.low(partition, ledger.durable(), ledger.low());
      boolean ahead = ledger.isAhead();
      if (ahead || ledger.isNoteStale(low, handedOut)) {
        due.add(new Due(partition, ledger, ledger.durable(), low, ahead, at, ledger.last()));
      }
    });
    return due;
  }

  /// Kafka acknowledged the commit.
  ///
  /// @return false if the partition was given up since, even if it has come back
  synchronized boolean acknowledged(Due due) {
    if (ledgers.get(due.partition) != due.ledger) {
      return false;
    }
    due.ledger.committed(due.offset, due.low, due.at);
    return true;
  }

  /// Whether somebody waits for a commit that was not taken note of yet.
  synchronized boolean takeUrgent() {
    boolean taken = urgent;
    urgent = false;
    return taken;
  }

  /// Whether reading is to pause: from the bound on, until half of it is settled.
  synchronized boolean isFull() {
    full = full ? !isBelowHalf() : records >= maxRecords || bytes >= maxBytes;
    return full;
  }

  /// The reader goes to sleep.
  ///
  /// @return false if it must not, because there is something to do
  synchronized boolean sleep(Runnable howToWake) {
    boolean maySleep = !isWanted();
    waker = maySleep ? howToWake : null;
    return maySleep;
  }

  synchronized void awake() {
    waker = null;
  }

  /// Wakes the reader now and keeps it awake.
  synchronized void stop() {
    stopping = true;
    wakeIfWanted();
  }

  private void wakeIfWanted() {
    if (waker != null && isWanted()) {
      waker.run();
      waker = null;
    }
  }

  private boolean isWanted() {
    return stopping || urgent || !lost.isEmpty() || (full && isBelowHalf());
  }

  private boolean isBelowHalf() {
    return records * 2 < maxRecords && bytes * 2 < maxBytes;
  }

  /// An offset to be committed.
  ///
  /// @param low from where on records below it may be in flight
  /// @param ahead whether it is not committed yet, so that there is more to it than its note
  /// @param at where the store is in its history
  /// @param last a record below it that was read; null if none is known
  record Due(
      SourcePartition partition,
      OffsetLedger ledger,
      long offset,
      long low,
      boolean ahead,
      StorePosition at,
      @Nullable RecordIdentity last) {}
}
