package io.taskbroker.ingest;

import io.taskbroker.activation.RecordIdentity;
import io.taskbroker.activation.StorePosition;
import io.taskbroker.activation.Watermark;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/// Offsets of one owned partition: what was handed over, what of it is durable, and what is
/// committed in Kafka. A commit never passes a record that is not durable (G1). Not thread-safe.
final class OffsetLedger {
  private final long low;
  private final long notBelow;

  /// Start offset that Kafka has along with the committed offset; [Long#MAX_VALUE] if this store
  /// did not write it.
  private long noted;

  /// Last record of each handed-over batch that is not durable yet, in offset order.
  private final ArrayDeque<HandedOver> ends = new ArrayDeque<>();

  private StorePosition notedAt = StorePosition.NONE;
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

  /// @param low start offset: records from it on may be in flight; [Watermark#NONE] if unknown
  /// @param notBelow lower bound of commits: records below it are read again and are committed
  ///   already
  /// @param last a record below the position that was read; null if none is known
  OffsetLedger(
      long position, long committed, long low, long notBelow, @Nullable RecordIdentity last) {
    this.last = last;
    this.low = low;
    this.noted = low == Watermark.NONE ? Long.MAX_VALUE : low;
    this.notBelow = notBelow;
    this.handedOver = position;
    this.durable = position;
    this.committed = committed;
  }

  /// Counts records as handed over: the engine has everything below `next`.
  ///
  /// @param read the last of the records; null if there was none
  void handedOver(long next, long moreRecords, long moreBytes, @Nullable RecordIdentity read) {
    if (next < handedOver) {
      throw new IllegalStateException("Handed over up to " + handedOver + ", then up to " + next);
    }
    handedOver = next;
    if (read != null) {
      ends.addLast(new HandedOver(next, read));
    }
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
    HandedOver first = ends.peekFirst();
    while (first != null && first.next <= durable) {
      last = first.last;
      ends.removeFirst();
      first = ends.peekFirst();
    }
    records = Math.max(0, records - fewerRecords);
    bytes = Math.max(0, bytes - fewerBytes);
  }

  /// Records that Kafka acknowledged the commit of `offset`.
  ///
  /// @param note the start offset sent along with it
  /// @param at the store position sent along with it
  void committed(long offset, long note, StorePosition at) {
    notedAt = at;
    committed = offset;
    noted = note;
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
  boolean isNoteStale(long known, StorePosition handedOut) {
    boolean behind =
        handedOut.epoch() > notedAt.epoch()
            || (handedOut.epoch() == notedAt.epoch() && handedOut.batch() > notedAt.batch());
    return durable == committed && durable >= notBelow && (known > noted || behind);
  }

  /// Start offset known when reading began.
  long low() {
    return low;
  }

  /// The record that was handed over last; null if none is known.
  @Nullable RecordIdentity lastRead() {
    HandedOver newest = ends.peekLast();
    return newest == null ? last : newest.last;
  }

  /// A recent record below [#durable] that was read; null if none is known.
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

  /// Records that were handed over together.
  ///
  /// @param next offset of the record after them
  private record HandedOver(long next, RecordIdentity last) {}
}
