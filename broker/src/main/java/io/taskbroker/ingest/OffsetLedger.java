package io.taskbroker.ingest;

import io.taskbroker.activation.Watermark;

/// What is known of one partition while it is this broker's: what was handed over, what of it is
/// durable, and what is committed in Kafka. A commit never passes a record that is not durable
/// (G1). Not thread-safe.
final class OffsetLedger {
  private final long low;
  private final long notBelow;

  /// What Kafka has as [#low] along with the committed offset; [Long#MAX_VALUE] if that is none of
  /// this store's.
  private long noted;

  private long handedOver;
  private long durable;
  private long committed;
  private long records;
  private long bytes;

  /// @param position where reading begins; everything below it is settled
  /// @param committed what is committed in Kafka, [Watermark#NONE] if nothing is
  OffsetLedger(long position, long committed) {
    this(position, committed, Watermark.NONE, Watermark.NONE);
  }

  /// @param low from where on records may be in flight, [Watermark#NONE] if that is not known
  /// @param notBelow no offset below this is committed: what lies there is read again, and is
  ///   committed already
  OffsetLedger(long position, long committed, long low, long notBelow) {
    this.low = low;
    this.noted = low == Watermark.NONE ? Long.MAX_VALUE : low;
    this.notBelow = notBelow;
    this.handedOver = position;
    this.durable = position;
    this.committed = committed;
  }

  /// Everything below `next` is with the engine.
  void handedOver(long next, long moreRecords, long moreBytes) {
    if (next < handedOver) {
      throw new IllegalStateException("Handed over up to " + handedOver + ", then up to " + next);
    }
    handedOver = next;
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
    records = Math.max(0, records - fewerRecords);
    bytes = Math.max(0, bytes - fewerBytes);
  }

  /// Kafka acknowledged the commit of `offset`.
  ///
  /// @param note from where on records may be in flight, as Kafka was told along with it
  void committed(long offset, long note) {
    committed = offset;
    noted = note;
  }

  /// Whether there is an offset to commit: [#durable].
  boolean isAhead() {
    return durable != committed && durable >= notBelow;
  }

  /// Whether there is no offset to commit, yet the committed one is to be committed again, because
  /// more is done than Kafka was told along with it.
  ///
  /// @param known from where on records may be in flight
  boolean isNoteStale(long known) {
    return durable == committed && durable >= notBelow && known > noted;
  }

  /// From where on records may be in flight, as far as was known when reading began.
  long low() {
    return low;
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
}
