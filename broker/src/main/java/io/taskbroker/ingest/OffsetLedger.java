package io.taskbroker.ingest;

import io.taskbroker.activation.RecordIdentity;
import io.taskbroker.activation.StorePosition;
import io.taskbroker.activation.Watermark;
import java.util.ArrayDeque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Offsets of one owned partition: those handed over, those durable, and the one committed in
/// Kafka. A commit never passes a record that is not durable (G1). Not thread-safe.
final class OffsetLedger {
  private final long startOffset;
  private final long notBelow;

  /// Start offset that Kafka has along with the committed offset; [Long#MAX_VALUE] if this store
  /// did not write it.
  private long committedStart;

  /// Handed-over records that are not durable yet, in offset order.
  private final ArrayDeque<RecordIdentity> undurable = new ArrayDeque<>();

  private StorePosition committedAt = StorePosition.NONE;
  private long handedOver;
  private long durable;
  private @Nullable RecordIdentity last;
  private long committed;
  private long records;
  private long bytes;

  /// @param position where reading begins; everything below it is settled
  /// @param committed offset in Kafka; [Watermark#NONE] if there is none
  OffsetLedger(long position, long committed) {
    this(position, committed, Watermark.NONE, Watermark.NONE, null);
  }

  /// @param startOffset start offset: records from it on may be in flight; [Watermark#NONE] if
  ///   unknown
  /// @param notBelow lower bound of commits: records below it are read again and are committed
  ///   already
  /// @param last a record below the position that was read; null if none is known
  OffsetLedger(
      long position,
      long committed,
      long startOffset,
      long notBelow,
      @Nullable RecordIdentity last) {
    this.last = last;
    this.startOffset = startOffset;
    this.committedStart = startOffset == Watermark.NONE ? Long.MAX_VALUE : startOffset;
    this.notBelow = notBelow;
    this.handedOver = position;
    this.durable = position;
    this.committed = committed;
  }

  /// Counts records as handed over: the engine has everything below `next`.
  ///
  /// @param read the records, in offset order
  void handedOver(long next, long moreRecords, long moreBytes, List<RecordIdentity> read) {
    if (next < handedOver) {
      throw new IllegalStateException("Handed over up to " + handedOver + ", then up to " + next);
    }
    handedOver = next;
    undurable.addAll(read);
    records += moreRecords;
    bytes += moreBytes;
  }

  /// Offset of the first record that was not handed over.
  long handedOver() {
    return handedOver;
  }

  /// Counts everything below `next` as durable, clamped to what was handed over.
  void settled(long next, long fewerRecords, long fewerBytes) {
    durable = Math.max(durable, Math.min(next, handedOver));
    RecordIdentity first = undurable.peekFirst();
    while (first != null && first.offset() < durable) {
      last = first;
      undurable.removeFirst();
      first = undurable.peekFirst();
    }
    records = Math.max(0, records - fewerRecords);
    bytes = Math.max(0, bytes - fewerBytes);
  }

  /// Records that Kafka acknowledged the commit of `offset`.
  ///
  /// @param startOffset the start offset sent along with it
  /// @param at the store position sent along with it
  void committed(long offset, long startOffset, StorePosition at) {
    committedAt = at;
    committed = offset;
    committedStart = startOffset;
  }

  /// Whether [#durable] is an offset to commit.
  boolean isAhead() {
    return durable != committed && durable >= notBelow;
  }

  /// Whether the committed offset must be committed again with new metadata: there is no new
  /// offset, but the start offset grew, or at-most-once tasks were delivered since.
  ///
  /// @param known the current start offset
  /// @param handedOut as in [PartitionOwnership#handedOut]
  boolean isMetadataStale(long known, StorePosition handedOut) {
    boolean behind =
        handedOut.epoch() > committedAt.epoch()
            || (handedOut.epoch() == committedAt.epoch()
                && handedOut.batch() > committedAt.batch());
    return durable == committed && durable >= notBelow && (known > committedStart || behind);
  }

  /// Start offset known when reading began.
  long startOffset() {
    return startOffset;
  }

  /// The record that was handed over last; null if none is known.
  @Nullable RecordIdentity lastRead() {
    RecordIdentity newest = undurable.peekLast();
    return newest == null ? last : newest;
  }

  /// The last record below [#durable] that was read; null if none is known.
  @Nullable RecordIdentity last() {
    return last;
  }

  long durable() {
    return durable;
  }

  long committed() {
    return committed;
  }

  /// Number of records that the engine has.
  long records() {
    return records;
  }

  /// Size in bytes of the records that the engine has.
  long bytes() {
    return bytes;
  }
}
