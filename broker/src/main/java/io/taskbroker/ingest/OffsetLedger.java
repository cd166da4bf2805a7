package io.taskbroker.ingest;

import io.taskbroker.activation.RecordIdentity;
import io.taskbroker.activation.StorePosition;
import io.taskbroker.activation.Watermark;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/// What is known of one partition while it is this broker's: what was handed over, what of it is
/// durable, and what is committed in Kafka. A commit never passes a record that is not durable
/// (G1). Not thread-safe.
final class OffsetLedger {
  private final long low;
  private final long notBelow;

  /// What Kafka has as [#low] along with the committed offset; [Long#MAX_VALUE] if that is none of
  /// this store's.
  private long noted;

  /// The last records of what was handed over and is not durable yet, by where they end.
  private final ArrayDeque<HandedOver> ends = new ArrayDeque<>();

  private StorePosition notedAt = StorePosition.NONE;
  private long handedOver;
  private long durable;
  private @Nullable RecordIdentity last;
  private long committed;
  private long records;
  private long bytes;

  /// @param position where reading begins; everything below it is settled
  /// @param committed what is committed in Kafka, [Watermark#NONE] if nothing is
  OffsetLedger(long position, long committed) {
    this(position, committed, Watermark.NONE, Watermark.NONE, null);
  }

  /// @param low from where on records may be in flight, [Watermark#NONE] if that is not known
  /// @param notBelow no offset below this is committed: what lies there is read again, and is
  ///   committed already
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

  /// Everything below `next` is with the engine.
  ///
  /// @param read the last record of it; null if there was none
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

  /// Where what was not handed over begins.
  long handedOver() {
    return handedOver;
  }

  /// Everything below `next` is durable. What was never handed over cannot be: it is not believed.
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

  /// Kafka acknowledged the commit of `offset`.
  ///
  /// @param note from where on records may be in flight, as Kafka was told along with it
  /// @param at where Kafka was told that the store is in its history
  void committed(long offset, long note, StorePosition at) {
    notedAt = at;
    committed = offset;
    noted = note;
  }

  /// Whether there is an offset to commit: [#durable].
  boolean isAhead() {
    return durable != committed && durable >= notBelow;
  }

  /// Whether there is no offset to commit, yet the committed one is to be committed again, because
  /// more is done, or was handed out that may run only once, than Kafka was told along with it.
  ///
  /// @param known from where on records may be in flight
  /// @param handedOut as in [PartitionOwnership#handedOut]
  boolean isNoteStale(long known, StorePosition handedOut) {
    boolean behind =
        handedOut.epoch() > notedAt.epoch()
            || (handedOut.epoch() == notedAt.epoch() && handedOut.batch() > notedAt.batch());
    return durable == committed && durable >= notBelow && (known > noted || behind);
  }

  /// From where on records may be in flight, as far as was known when reading began.
  long low() {
    return low;
  }

  /// The record that was handed over last; null if none is known.
  @Nullable RecordIdentity lastRead() {
    HandedOver newest = ends.peekLast();
    return newest == null ? last : newest.last;
  }

  /// A record below [#durable] that was read, one of the last; null if none is known.
  @Nullable RecordIdentity last() {
    return last;
  }

  long durable() {
    return durable;
  }

  long committed() {
    return committed;
  }

  /// How many records are with the engine.
  long records() {
    return records;
  }

  /// The size of the records that are with the engine.
  long bytes() {
    return bytes;
  }

  /// Records that were handed over together.
  ///
  /// @param next where the records after them begin
  private record HandedOver(long next, RecordIdentity last) {}
}
