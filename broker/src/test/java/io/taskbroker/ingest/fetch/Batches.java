package io.taskbroker.ingest.fetch;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32;
import java.util.zip.CRC32C;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.DefaultRecordBatch;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.utils.internals.BufferSupplier;
import org.apache.kafka.common.utils.internals.ByteBufferOutputStream;
import org.apache.kafka.common.utils.internals.ByteUtils;
import org.apache.kafka.common.utils.internals.CloseableIterator;
import org.jspecify.annotations.Nullable;

/// Builder of record batches, both regular and malformed ones.
final class Batches {
  private static final int CRC_FROM = 21;
  private static final int CRC_AT = 17;
  private static final int OLD_SIZE_AT = 8;
  private static final int OLD_CRC_AT = 12;
  private static final int OLD_VALUE_AT = 30;
  private static final int LZ4_BLOCKS_AT = 41;

  private Batches() {}

  /// Record as a consumer sees it.
  record Read(long offset, @Nullable String value, @Nullable UnreadRecord flaw) {}

  static ByteBuffer of(CompressionType codec, long firstOffset, byte[] @Nullable ... values) {
    return of(codec, (byte) 2, firstOffset, values);
  }

  static ByteBuffer of(
      CompressionType codec, byte magic, long firstOffset, byte[] @Nullable ... values) {
    MemoryRecordsBuilder builder =
        MemoryRecords.builder(
            ByteBuffer.allocate(1 << 10),
            magic,
            Compression.of(codec).build(),
            TimestampType.CREATE_TIME,
            firstOffset);
    for (byte @Nullable [] value : values) {
      builder.append(7, "key".getBytes(UTF_8), value);
    }
    return bytes(builder);
  }

  static ByteBuffer of(CompressionType codec, Header[] headers) {
    MemoryRecordsBuilder builder =
        MemoryRecords.builder(
            ByteBuffer.allocate(1 << 10),
            Compression.of(codec).build(),
            TimestampType.CREATE_TIME,
            0);
    builder.append(7, null, "value".getBytes(UTF_8), headers);
    return bytes(builder);
  }

  private static ByteBuffer bytes(MemoryRecordsBuilder builder) {
    return ByteBuffer.wrap(array(builder.build().buffer()));
  }

  static byte[] array(ByteBuffer buffer) {
    byte[] bytes = new byte[buffer.remaining()];
    buffer.duplicate().get(bytes);
    return bytes;
  }

  /// Batch that claims to hold records from offset 0 on, with unchecked content.
  static ByteBuffer crafted(CompressionType codec, int records, byte[] content) {
    int size = DefaultRecordBatch.RECORD_BATCH_OVERHEAD + content.length;
    var batch = ByteBuffer.allocate(size);
    batch.position(DefaultRecordBatch.RECORD_BATCH_OVERHEAD);
    batch.put(content);
    batch.position(0);
    DefaultRecordBatch.writeHeader(
        batch,
        0,
        records - 1,
        size,
        RecordBatch.CURRENT_MAGIC_VALUE,
        codec,
        TimestampType.CREATE_TIME,
        0,
        0,
        RecordBatch.NO_PRODUCER_ID,
        RecordBatch.NO_PRODUCER_EPOCH,
        RecordBatch.NO_SEQUENCE,
        false,
        false,
        false,
        0,
        records);
    batch.clear();
    return batch;
  }

  static byte[] compressed(CompressionType codec, byte[] content) {
    var bytes = new ByteBufferOutputStream(1 << 10);
    try (OutputStream out = Compression.of(codec).build().wrapForOutput(bytes, (byte) 2)) {
      out.write(content);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    ByteBuffer buffer = bytes.buffer();
    buffer.flip();
    return array(buffer);
  }

  static byte[] varint(int value) {
    var bytes = ByteBuffer.allocate(ByteUtils.sizeOfVarint(value));
    ByteUtils.writeVarint(value, bytes);
    return bytes.array();
  }

  static ByteBuffer joined(ByteBuffer... batches) {
    var bytes = new ByteArrayOutputStream();
    for (ByteBuffer batch : batches) {
      bytes.writeBytes(array(batch));
    }
    return ByteBuffer.wrap(bytes.toByteArray());
  }

  /// Batch of format 1 in lz4 whose first block decompresses to nothing.
  static ByteBuffer withEmptyBlock(ByteBuffer batch) {
    byte[] bytes = array(batch);
    byte[] block = {1, 0, 0, 0, 0};
    var longer = ByteBuffer.allocate(bytes.length + block.length);
    longer.put(bytes, 0, LZ4_BLOCKS_AT).put(block);
    longer.put(bytes, LZ4_BLOCKS_AT, bytes.length - LZ4_BLOCKS_AT);
    longer.putInt(OLD_SIZE_AT, batch.getInt(OLD_SIZE_AT) + block.length);
    longer.putInt(OLD_VALUE_AT, batch.getInt(OLD_VALUE_AT) + block.length);
    var crc = new CRC32();
    crc.update(longer.clear().position(OLD_CRC_AT + Integer.BYTES));
    return longer.putInt(OLD_CRC_AT, (int) crc.getValue()).clear();
  }

  /// Restores the checksum of a changed batch of format 2.
  static ByteBuffer signed(ByteBuffer batch) {
    var crc = new CRC32C();
    crc.update(batch.duplicate().position(CRC_FROM));
    return batch.putInt(CRC_AT, (int) crc.getValue());
  }

  /// Reads everything from an offset on, as a consumer does.
  static List<Read> read(ByteBuffer bytes, long from, FetchLimits limits, PollBudget budget) {
    var read = new ArrayList<Read>();
    var records =
        BoundedRecords.of(
            MemoryRecords.readableRecords(bytes.duplicate()), from, 1_000_000, limits, budget);
    for (RecordBatch batch : records.batches()) {
      try (CloseableIterator<Record> each = batch.streamingIterator(BufferSupplier.create())) {
        while (each.hasNext()) {
          Record record = each.next();
          if (record.offset() >= from) {
            read.add(read(record));
          }
        }
      }
    }
    return read;
  }

  static Read read(Record record) {
    var _ = record.key();
    ByteBuffer value = record.value();
    Header[] headers = record.headers();
    UnreadRecord flaw =
        headers.length == 1 && headers[0] instanceof UnreadRecord found ? found : null;
    return new Read(record.offset(), value == null ? null : UTF_8.decode(value).toString(), flaw);
  }
}
