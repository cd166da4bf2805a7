package io.taskbroker.ingest.fetch;

import java.nio.ByteBuffer;
import java.util.Iterator;
import java.util.List;
import java.util.OptionalLong;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.DefaultRecordBatch;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.utils.internals.BufferSupplier;
import org.apache.kafka.common.utils.internals.CloseableIterator;
import org.jspecify.annotations.Nullable;

/// Batch of a partition's log whose records a [BatchReader] reads one at a time. If it is damaged,
/// it ends there and its next offset is the damaged one.
final class BoundedBatch implements RecordBatch {
  private static final int MAX_CONTROL_BYTES = 1 << 16;
  private static final RecordBatch NO_BATCH = noBatch();

  private final RecordBatch batch;
  private final FetchLimits limits;
  private final PollBudget budget;

  /// Replacement for all records; null if they can be read one by one.
  private final @Nullable BoundedRecord instead;

  private long brokenAt = -1;

  private BoundedBatch(
      RecordBatch batch,
      FetchLimits limits,
      PollBudget budget,
      @Nullable BoundedRecord instead,
      long brokenAt) {
    this.batch = batch;
    this.limits = limits;
    this.budget = budget;
    this.instead = instead;
    this.brokenAt = brokenAt;
  }

  /// @param expected the offset from which on its records matter
  static BoundedBatch of(RecordBatch batch, FetchLimits limits, PollBudget budget, long expected) {
    if (batch.isControlBatch()) {
      return batch.isCompressed() || batch.sizeInBytes() > MAX_CONTROL_BYTES
          ? broken(UnreadRecord.unreadable("a control batch is compressed or too large"), expected)
          : new BoundedBatch(batch, limits, budget, null, -1);
    }
    String tooLarge = BlockScanner.flaw(batch, limits.maxBlockBytes());
    if (tooLarge == null) {
      return new BoundedBatch(batch, limits, budget, null, -1);
    }
    // The last offset matters in any case.
    var all = BoundedRecord.flawed(UnreadRecord.oversized(tooLarge), batch.lastOffset());
    return new BoundedBatch(batch, limits, budget, all, -1);
  }

  /// Batch that cannot be read.
  static BoundedBatch broken(UnreadRecord flaw, long expected) {
    var record = BoundedRecord.flawed(flaw, expected);
    return new BoundedBatch(NO_BATCH, NO_LIMITS, NO_BUDGET, record, expected);
  }

  private static final FetchLimits NO_LIMITS = new FetchLimits(0, 0, 0, 0, 0, 0);
  private static final PollBudget NO_BUDGET = new PollBudget(IntakeMemory.unbounded());

  /// Marks a record as damaged: it and all records after it are unreadable.
  void breakAt(long offset) {
    brokenAt = offset;
  }

  boolean isBroken() {
    return brokenAt >= 0;
  }

  @Override
  public CloseableIterator<Record> streamingIterator(BufferSupplier buffers) {
    if (instead != null) {
      return CloseableIterator.wrap(List.<Record>of(instead).iterator());
    }
    return batch instanceof DefaultRecordBatch current && !batch.isControlBatch()
        ? new BatchReader(this, current, limits, budget, buffers)
        : batch.streamingIterator(buffers);
  }

  @Override
  public CloseableIterator<Record> streamingIterator(BufferSupplier buffers, int maxRecordBytes) {
    return streamingIterator(buffers);
  }

  @Override
  public Iterator<Record> iterator() {
    return batch.isControlBatch() ? batch.iterator() : streamingIterator(BufferSupplier.NO_CACHING);
  }

  @Override
  public long nextOffset() {
    return isBroken() ? brokenAt : batch.nextOffset();
  }

  @Override
  public boolean isValid() {
    return true;
  }

  /// Does nothing: [BoundedRecords] has validated the batch.
  @Override
  public void ensureValid() {}

  @Override
  public long checksum() {
    return batch.checksum();
  }

  @Override
  public long maxTimestamp() {
    return batch.maxTimestamp();
  }

  @Override
  public TimestampType timestampType() {
    return batch.timestampType();
  }

  @Override
  public long baseOffset() {
    return batch.baseOffset();
  }

  @Override
  public long lastOffset() {
    return batch.lastOffset();
  }

  @Override
  public byte magic() {
    return batch.magic();
  }

  @Override
  public long producerId() {
    return batch.producerId();
  }

  @Override
  public short producerEpoch() {
    return batch.producerEpoch();
  }

  @Override
  public boolean hasProducerId() {
    return batch.hasProducerId();
  }

  @Override
  public int baseSequence() {
    return batch.baseSequence();
  }

  @Override
  public int lastSequence() {
    return batch.lastSequence();
  }

  @Override
  public CompressionType compressionType() {
    return batch.compressionType();
  }

  @Override
  public int sizeInBytes() {
    return batch.sizeInBytes();
  }

  @Override
  public @Nullable Integer countOrNull() {
    return batch.countOrNull();
  }

  @Override
  public boolean isCompressed() {
    return batch.isCompressed();
  }

  @Override
  public void writeTo(ByteBuffer buffer) {
    batch.writeTo(buffer);
  }

  @Override
  public boolean isTransactional() {
    return batch.isTransactional();
  }

  @Override
  public OptionalLong deleteHorizonMs() {
    return batch.deleteHorizonMs();
  }

  @Override
  public int partitionLeaderEpoch() {
    return batch.partitionLeaderEpoch();
  }

  @Override
  public boolean isControlBatch() {
    return batch.isControlBatch();
  }

  /// Batch without records and without a producer.
  private static RecordBatch noBatch() {
    var header = ByteBuffer.allocate(DefaultRecordBatch.RECORD_BATCH_OVERHEAD);
    DefaultRecordBatch.writeEmptyHeader(
        header,
        CURRENT_MAGIC_VALUE,
        NO_PRODUCER_ID,
        NO_PRODUCER_EPOCH,
        NO_SEQUENCE,
        0,
        0,
        NO_PARTITION_LEADER_EPOCH,
        TimestampType.CREATE_TIME,
        NO_TIMESTAMP,
        false,
        false);
    header.flip();
    return MemoryRecords.readableRecords(header).batches().iterator().next();
  }
}
