package io.taskbroker.ingest.fetch;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.internal.AbstractLegacyRecordBatch;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.DefaultRecordBatch;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.utils.internals.BufferSupplier;
import org.jspecify.annotations.Nullable;

/// Scanner for the sizes that a codec would allocate at once from a length in the data: blocks of
/// snappy, and batches of the formats before 2. Every other codec is a stream with buffers of 4 MiB
/// at most on the heap; zstd has a window outside the heap, of 128 MiB at most by the library and
/// no more than what was decompressed.
final class BlockScanner {
  private static final long SNAPPY_MAGIC = 0x82534e4150505900L;
  private static final int SNAPPY_HEADER = 16;
  private static final int PORTION = 8 << 10;

  private BlockScanner() {}

  /// Why the batch must not be decompressed; null if it may be.
  ///
  /// @throws RuntimeException if it is damaged
  static @Nullable String flaw(RecordBatch batch, int maxBytes) {
    if (!batch.isCompressed()) {
      return null;
    }
    if (batch instanceof AbstractLegacyRecordBatch legacy) {
      ByteBuffer content = legacy.outerRecord().value();
      return content == null ? null : ofLegacy(legacy, content, maxBytes);
    }
    if (batch.compressionType() != CompressionType.SNAPPY) {
      return null;
    }
    var bytes = ByteBuffer.allocate(batch.sizeInBytes());
    batch.writeTo(bytes);
    bytes.flip();
    bytes.position(DefaultRecordBatch.RECORD_BATCH_OVERHEAD);
    return ofSnappy(bytes, maxBytes);
  }

  private static @Nullable String ofLegacy(
      AbstractLegacyRecordBatch batch, ByteBuffer content, int maxBytes) {
    if (batch.compressionType() == CompressionType.SNAPPY) {
      String flaw = ofSnappy(content.duplicate(), maxBytes);
      if (flaw != null) {
        return flaw;
      }
    }
    Compression codec = Compression.of(batch.compressionType()).build();
    try (InputStream in =
        codec.wrapForInput(content.duplicate(), batch.magic(), BufferSupplier.NO_CACHING)) {
      // Read, not skipped: skip cannot tell an empty block from the end.
      byte[] portion = new byte[PORTION];
      long size = 0;
      for (int read = 0; read >= 0 && size <= maxBytes; size += Math.max(0, read)) {
        read = in.read(portion);
      }
      return size <= maxBytes
          ? null
          : "its batch, of an old format, decompresses to more than " + maxBytes + " bytes";
    } catch (IOException e) {
      throw new IllegalArgumentException("cannot be decompressed: " + e.getMessage(), e);
    }
  }

  /// @param bytes either one block, or the blocks of snappy-java's own format
  private static @Nullable String ofSnappy(ByteBuffer bytes, int maxBytes) {
    if (bytes.remaining() < SNAPPY_HEADER || bytes.getLong(bytes.position()) != SNAPPY_MAGIC) {
      return bytes.hasRemaining() ? ofBlock(bytes, maxBytes) : null;
    }
    bytes.position(bytes.position() + SNAPPY_HEADER);
    while (bytes.remaining() >= Integer.BYTES) {
      int size = bytes.getInt();
      boolean another = size == (int) (SNAPPY_MAGIC >>> Integer.SIZE);
      int length = another ? SNAPPY_HEADER - Integer.BYTES : size;
      if (length <= 0 || length > bytes.remaining()) {
        throw new IllegalArgumentException("a block of snappy is cut off");
      }
      String flaw = another ? null : ofBlock(bytes.slice(bytes.position(), length), maxBytes);
      if (flaw != null) {
        return flaw;
      }
      bytes.position(bytes.position() + length);
    }
    return null;
  }

  private static @Nullable String ofBlock(ByteBuffer block, int maxBytes) {
    long size = 0;
    for (int shift = 0; shift < 35; shift += 7) {
      if (!block.hasRemaining()) {
        throw new IllegalArgumentException("a block of snappy is cut off");
      }
      byte next = block.get();
      size |= (long) (next & 0x7f) << shift;
      if (next >= 0) {
        break;
      }
    }
    return size <= maxBytes
        ? null
        : "its batch has a block of snappy of %d bytes, which are more than %d"
            .formatted(size, maxBytes);
  }
}
