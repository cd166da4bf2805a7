package io.taskbroker.ingest.fetch;

import java.util.Iterator;
import org.apache.kafka.common.network.TransferableChannel;
import org.apache.kafka.common.record.internal.AbstractRecords;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.record.internal.Records;
import org.apache.kafka.common.utils.internals.AbstractIterator;
import org.jspecify.annotations.Nullable;

/// Bounded records of a partition in a fetch response. They end at the first damaged batch, with a
/// record that reports it: the consumer itself would fail each of its polls, for all partitions. A
/// batch is inspected when the consumer reaches it.
final class BoundedRecords extends AbstractRecords {
  private static final UnreadRecord INCOMPLETE =
      UnreadRecord.unreadable("Kafka sent no complete batch of records");

  private final Records fetched;
  private final UnreadRecord none;
  private final long fetchOffset;
  private final long highWatermark;
  private final FetchLimits limits;
  private final PollBudget budget;

  private BoundedRecords(
      Records fetched,
      UnreadRecord none,
      long fetchOffset,
      long highWatermark,
      FetchLimits limits,
      PollBudget budget) {
    this.fetched = fetched;
    this.none = none;
    this.fetchOffset = fetchOffset;
    this.highWatermark = highWatermark;
    this.limits = limits;
    this.budget = budget;
  }

  /// @param fetchOffset the first offset that was asked for
  /// @param highWatermark of the answer; negative if unknown. Kafka takes it just before it reads
  ///   the log, so records may follow from there on, without a gap
  static BoundedRecords of(
      Records fetched,
      long fetchOffset,
      long highWatermark,
      FetchLimits limits,
      PollBudget budget) {
    return new BoundedRecords(fetched, INCOMPLETE, fetchOffset, highWatermark, limits, budget);
  }

  /// Replacement for records that Kafka could not read.
  static BoundedRecords unreadable(
      String reason, long fetchOffset, FetchLimits limits, PollBudget budget) {
    return new BoundedRecords(
        MemoryRecords.EMPTY, UnreadRecord.unreadable(reason), fetchOffset, -1, limits, budget);
  }

  @Override
  public Iterable<RecordBatch> batches() {
    return this::batchIterator;
  }

  @Override
  public AbstractIterator<RecordBatch> batchIterator() {
    return new Batches();
  }

  /// Never 0: there is always a batch, at least one that says why there is no other.
  @Override
  public int sizeInBytes() {
    return Math.max(1, fetched.sizeInBytes());
  }

  @Override
  public int writeTo(TransferableChannel channel, int position, int length) {
    throw new UnsupportedOperationException("Fetched records cannot be sent on");
  }

  @Override
  public Records slice(int position, int size) {
    throw new UnsupportedOperationException("Fetched records cannot be sliced");
  }

  private final class Batches extends AbstractIterator<RecordBatch> {
    private final Iterator<? extends RecordBatch> all = fetched.batches().iterator();
    private @Nullable BoundedBatch last;

    @Override
    protected RecordBatch makeNext() {
      BoundedBatch before = last;
      if (before != null && before.isBroken()) {
        return allDone();
      }
      long expected = before == null ? fetchOffset : before.nextOffset();
      BoundedBatch next = next(expected, before == null);
      if (next == null) {
        return allDone();
      }
      last = next;
      return next;
    }

    private @Nullable BoundedBatch next(long expected, boolean first) {
      try {
        if (all.hasNext()) {
          return checked(all.next(), expected);
        }
        return first ? BoundedBatch.broken(none, expected) : null;
      } catch (RuntimeException e) {
        return BoundedBatch.broken(UnreadRecord.unreadable(e), expected);
      }
    }

    private BoundedBatch checked(RecordBatch batch, long expected) {
      batch.ensureValid();
      long end = batch.lastOffset();
      // The checksum does not cover the first offset of a batch.
      if (end < expected || isBeyondTheLog(batch, expected)) {
        String reason =
            "a batch ends at offset %d, where records from %d on were expected and the log ended at %d"
                .formatted(end, expected, highWatermark);
        return BoundedBatch.broken(UnreadRecord.unreadable(reason), expected);
      }
      return BoundedBatch.of(batch, limits, budget, expected);
    }

    private boolean isBeyondTheLog(RecordBatch batch, long expected) {
      return highWatermark >= 0
          && batch.lastOffset() >= highWatermark
          && batch.baseOffset() > Math.max(expected, highWatermark);
    }
  }
}
