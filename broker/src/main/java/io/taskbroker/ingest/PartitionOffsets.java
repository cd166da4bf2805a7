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

/// Offset ledgers of one topic's partitions, and the bound on the records that the engine has of it
/// (G7).
///
/// Thread-safe: the reader opens and closes ledgers, the engine settles records. The engine wakes
/// the reader only if it sleeps and has something to do now. Only [#awaitDrained] blocks.
final class PartitionOffsets {
  private final long maxRecords;
  private final long maxBytes;
  private final IntakeMemory memory;
  private final Waiting waiting;
  private final Map<SourcePartition, OffsetLedger> ledgers = new HashMap<>();

  /// Watermarks of partitions that have no ledger now.
  private final Map<SourcePartition, Watermark> watermarks = new HashMap<>();

  /// Revoked partitions that the engine has not drained yet.
  private final Set<SourcePartition> undrained = new HashSet<>();

  /// Closed ledgers of those: they know which record is below each offset that becomes durable.
  private final Map<SourcePartition, OffsetLedger> draining = new HashMap<>();

  /// Partitions that the store gave to another broker, although the group assigns them to this one.
  private final Set<SourcePartition> lost = new HashSet<>();

  /// Applications at their limit that partitions wait for, as the engine reported.
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

  /// @param memory shared with the ledgers of other topics
  PartitionOffsets(long maxRecords, long maxBytes, IntakeMemory memory, Waiting waiting) {
    this.maxRecords = maxRecords;
    this.maxBytes = maxBytes;
    this.memory = memory;
    this.waiting = waiting;
  }

  /// Way to wait for another thread.
  interface Waiting {
    /// Returns when the monitor, which the caller holds, is notified, when the time is up, or
    /// spuriously.
    void await(Object monitor, long millis) throws InterruptedException;

    default long nanoTime() {
      return System.nanoTime();
    }
  }

  /// Adds watermarks from the store.
  synchronized void remember(Collection<Watermark> stored) {
    stored.forEach(watermark -> watermarks.put(watermark.partition(), watermark));
  }

  synchronized @Nullable Watermark watermark(SourcePartition partition) {
    return watermarks.get(partition);
  }

  /// Whether a partition of the same topic, cluster and group has a watermark or a ledger.
  synchronized boolean knowsTopicOf(SourcePartition partition) {
    return knowsTopicOf(watermarks.keySet(), partition)
        || knowsTopicOf(ledgers.keySet(), partition);
  }

  private static boolean knowsTopicOf(Set<SourcePartition> known, SourcePartition partition) {
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

  /// Counts records as handed over; must be called before the engine receives them.
  ///
  /// @param read the records, in offset order
  synchronized void handedOver(
      SourcePartition partition, long next, int count, long size, List<RecordIdentity> read) {
    OffsetLedger ledger = ledgers.get(partition);
    if (ledger == null) {
      throw new IllegalStateException("No ledger is open for " + partition);
    }
    ledger.handedOver(next, count, size, read);
    records += count;
    count(size);
  }

  private void count(long more) {
    bytes += more;
    memory.add(more);
  }

  /// Offset of the partition's first record that was not handed over.
  synchronized long next(SourcePartition partition) {
    OffsetLedger ledger = ledgers.get(partition);
    if (ledger == null) {
      throw new IllegalStateException("No ledger is open for " + partition);
    }
    return ledger.handedOver();
  }

  /// Number of a partition's messages that are not durable.
  ///
  /// @param unread records that were not handed over at the last fetch, if known
  /// @param atLeast a lower bound of the end of its log; negative if unknown
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

  /// Number of bytes that may be handed over until the bound.
  synchronized long room() {
    return Math.max(0, maxBytes - bytes);
  }

  /// The partition's record that was handed over last; null if none is known.
  synchronized @Nullable RecordIdentity lastRead(SourcePartition partition) {
    OffsetLedger ledger = ledgers.get(partition);
    return ledger == null ? null : ledger.lastRead();
  }

  /// Settles records: the engine reports everything below `next` durable.
  synchronized void consumed(
      SourcePartition partition, long next, int count, long size, boolean commitNow) {
    OffsetLedger ledger = ledgers.get(partition);
    if (ledger == null) {
      advanceWatermark(partition, next);
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

  /// Advances the watermark of a released partition that the engine still drains.
  private void advanceWatermark(SourcePartition partition, long next) {
    OffsetLedger ledger = draining.get(partition);
    if (ledger != null) {
      ledger.settled(next, 0, 0);
      watermarks.put(partition, watermark(partition, ledger));
    }
  }

  private static Watermark watermark(SourcePartition partition, OffsetLedger ledger) {
    return new Watermark(partition, ledger.durable(), ledger.committed(), ledger.last());
  }

  /// Marks the partition as waiting for an application at its limit; for none if that is null.
  synchronized void waitsForRoom(SourcePartition partition, @Nullable String application) {
    if (application == null || !ledgers.containsKey(partition)) {
      standing.remove(partition);
    } else {
      standing.put(partition, application);
    }
  }

  /// Applications that partitions wait for.
  synchronized Set<String> standing() {
    return Set.copyOf(standing.values());
  }

  /// Expects [#drained]; must be called before the engine learns of the revocation.
  synchronized void closing(SourcePartition partition) {
    undrained.add(partition);
  }

  /// Reports that the engine has nothing in flight of a revoked partition.
  synchronized void drained(SourcePartition partition) {
    undrained.remove(partition);
    draining.remove(partition);
    notifyAll();
  }

  /// Reports that the store gave the partition to another broker.
  synchronized void lost(SourcePartition partition) {
    if (ledgers.containsKey(partition)) {
      lost.add(partition);
      wakeIfWanted();
    }
  }

  /// Takes the partitions that were lost since the last call.
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
  /// @return whether it has, within the time
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

  /// Closes the ledger; its watermark is kept in case the partition comes back.
  synchronized void close(SourcePartition partition) {
    OffsetLedger ledger = ledgers.remove(partition);
    lost.remove(partition);
    standing.remove(partition);
    if (ledger != null) {
      records -= ledger.records();
      count(-ledger.bytes());
      watermarks.put(partition, watermark(partition, ledger));
      if (undrained.contains(partition)) {
        draining.put(partition, ledger);
      }
    }
  }

  /// Offsets that are durable and not committed, and committed ones with stale metadata.
  synchronized List<Due> due(OffsetMetadataFormat metadataFormat) {
    var due = new ArrayList<Due>();
    StorePosition handedOut = metadataFormat.handedOut().get();
    StorePosition at = metadataFormat.position().get();
    ledgers.forEach((partition, ledger) -> {
      long startOffset =
          metadataFormat.startOffset(partition, ledger.durable(), ledger.startOffset());
      boolean ahead = ledger.isAhead();
      if (ahead || ledger.isMetadataStale(startOffset, handedOut)) {
        due.add(
            new Due(partition, ledger, ledger.durable(), startOffset, ahead, at, ledger.last()));
      }
    });
    return due;
  }

  /// Records that Kafka acknowledged the commit.
  ///
  /// @return false if the partition was released since, even if it has come back
  synchronized boolean acknowledged(Due due) {
    if (ledgers.get(due.partition) != due.ledger) {
      return false;
    }
    due.ledger.committed(due.offset, due.startOffset, due.at);
    return true;
  }

  /// Takes the request for an urgent commit: whether a caller waits for one.
  synchronized boolean takeUrgent() {
    boolean taken = urgent;
    urgent = false;
    return taken;
  }

  /// Whether reading must pause: from the bound on, until less than half of it is unsettled.
  synchronized boolean isFull() {
    full = full ? !isBelowHalf() : records >= maxRecords || bytes >= maxBytes;
    return full;
  }

  /// Announces that the reader goes to sleep.
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

  /// Offset to commit.
  ///
  /// @param startOffset start offset: records from it on may be in flight
  /// @param ahead whether the offset itself is new, not only its metadata
  /// @param at position of the store in its history
  /// @param last a record below it that was read; null if none is known
  record Due(
      SourcePartition partition,
      OffsetLedger ledger,
      long offset,
      long startOffset,
      boolean ahead,
      StorePosition at,
      @Nullable RecordIdentity last) {}
}
