package io.taskbroker.ingest.fetch;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.taskbroker.activation.TraceContext;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.NoSuchElementException;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.DefaultRecordBatch;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.utils.internals.BufferSupplier;
import org.apache.kafka.common.utils.internals.CloseableIterator;
import org.jspecify.annotations.Nullable;

/// Iterator over the records of a batch. It reads them from the decompressed stream, and allocates
/// nothing before it knows that the limits and the budget of the poll allow it. It skips unwanted
/// bytes in the buffers of the codec.
///
/// The consumer cannot continue after an exception of this iterator, so it throws none: it returns
/// an unreadable part as a last record with an [UnreadRecord].
final class BatchReader implements CloseableIterator<Record> {
  /// Headers among which those of a trace context are looked for.
  private static final int MAX_SEARCHED_HEADERS = 64;

  private static final int NOT_MEASURED = -2;

  private final BoundedBatch batch;
  private final DefaultRecordBatch source;
  private final FetchLimits limits;
  private final PollBudget budget;
  private final BufferSupplier buffers;
  private final boolean appendTime;
  private @Nullable InputStream in;
  private @Nullable BoundedRecord ahead;
  private long lastOffset;
  private int begun;
  private boolean ended;

  /// Stream position, and the end of the current record in the stream.
  private long position;

  private long end;
  private int valueSize;

  BatchReader(
      BoundedBatch batch,
      DefaultRecordBatch source,
      FetchLimits limits,
      PollBudget budget,
      BufferSupplier buffers) {
    this.batch = batch;
    this.source = source;
    this.limits = limits;
    this.budget = budget;
    this.buffers = buffers;
    this.appendTime = source.timestampType() == TimestampType.LOG_APPEND_TIME;
    this.lastOffset = source.baseOffset() - 1;
  }

  @Override
  public boolean hasNext() {
    if (ahead == null && !ended) {
      ahead = begin();
    }
    return ahead != null;
  }

  @Override
  public Record next() {
    BoundedRecord next = ahead;
    if (next == null) {
      throw new NoSuchElementException();
    }
    ahead = null;
    return next;
  }

  /// Reads the part of the next record before its key; null if there is none.
  private @Nullable BoundedRecord begin() {
    try {
      int count = source.countOrNull();
      require(count >= 0, "a batch has a negative number of records");
      if (begun >= count || lastOffset >= source.lastOffset()) {
        ended = true;
        return null;
      }
      skip(end - position);
      int size = readVarint();
      require(size >= 0, "a record has a negative size");
      end = position + size;
      if (end > limits.maxInflatedBytes()) {
        return restIsTooMuch(size);
      }
      begun++;
      int _ = readByte(); // attributes, which are unused
      long timestamp = source.baseTimestamp() + readVarlong();
      long offset = source.baseOffset() + readVarint();
      require(offset > lastOffset && offset <= source.lastOffset(), "offsets are not in order");
      lastOffset = offset;
      valueSize = NOT_MEASURED;
      return new BoundedRecord(this, offset, appendTime ? source.maxTimestamp() : timestamp, size);
    } catch (IOException | RuntimeException e) {
      ended = true;
      batch.breakAt(lastOffset + 1);
      return BoundedRecord.flawed(UnreadRecord.unreadable(e), lastOffset + 1);
    }
  }

  private BoundedRecord restIsTooMuch(int size) {
    ended = true;
    String reason =
        ("the records from offset %d on are not read: their batch, of %d bytes, decompresses to"
                + " more than %d, with a record of %d bytes among them")
            .formatted(lastOffset + 1, source.sizeInBytes(), limits.maxInflatedBytes(), size);
    return BoundedRecord.flawed(UnreadRecord.oversized(reason), source.lastOffset());
  }

  /// Reads the rest of the current record.
  ///
  /// @throws PollBudgetExceeded if there is no memory for it; it may be loaded later
  void load(BoundedRecord record) {
    try {
      if (valueSize == NOT_MEASURED) {
        int keySize = readVarint();
        require(keySize <= end - position, "a key is larger than its record");
        skip(keySize);
        int size = readVarint();
        require(size <= end - position, "a value is larger than its record");
        valueSize = Math.max(-1, size);
      }
      int size = Math.max(0, valueSize);
      long headers = end - position - size;
      if (size > limits.maxValueBytes()) {
        record.become(tooLarge("a value of " + size + " bytes"));
        return;
      }
      if (limits.maxHeaders() > 0 && headers > limits.maxValueBytes()) {
        record.become(tooLarge("headers of " + headers + " bytes"));
        return;
      }
      budget.take((long) limits.copies() * (limits.maxHeaders() > 0 ? size + headers : size));
      ByteBuffer value = valueSize < 0 ? null : ByteBuffer.wrap(read(size));
      record.become(value, headers());
      if (limits.maxHeaders() > 0) {
        require(position == end, "a record does not end at its declared size");
      }
    } catch (PollBudgetExceeded e) {
      throw e;
    } catch (TooManyHeaders e) {
      record.become(e.flaw);
    } catch (IOException | RuntimeException e) {
      ended = true;
      batch.breakAt(record.offset());
      record.become(UnreadRecord.unreadable(e));
    }
  }

  private UnreadRecord tooLarge(String what) {
    return UnreadRecord.oversized(what + " is more than " + limits.maxValueBytes());
  }

  private Header[] headers() throws IOException, TooManyHeaders {
    if (limits.maxHeaders() == 0) {
      return limits.maxValueBytes() == 0 ? Record.EMPTY_HEADERS : traceHeaders();
    }
    int count = readVarint();
    require(count >= 0, "a record has a negative number of headers");
    if (count > limits.maxHeaders()) {
      throw new TooManyHeaders(count + " headers are more than " + limits.maxHeaders());
    }
    Header[] all = count == 0 ? Record.EMPTY_HEADERS : new Header[count];
    for (int i = 0; i < count; i++) {
      int keySize = readVarint();
      require(keySize >= 0 && keySize <= end - position, "a header is larger than its record");
      String key = new String(read(keySize), UTF_8);
      int size = readVarint();
      require(size <= end - position, "a header is larger than its record");
      all[i] = new RecordHeader(key, size < 0 ? null : read(size));
    }
    return all;
  }

  /// The headers of a trace context; the others are skipped unchecked, as if no header was read.
  private Header[] traceHeaders() throws IOException {
    try {
      return findTraceHeaders();
    } catch (InvalidRecordException _) {
      return Record.EMPTY_HEADERS;
    }
  }

  private Header[] findTraceHeaders() throws IOException {
    Header[] found = Record.EMPTY_HEADERS;
    int count = readVarintWithin();
    for (int i = 0; i < Math.min(count, MAX_SEARCHED_HEADERS); i++) {
      int keySize = readVarintWithin();
      if (keySize < 0 || keySize > end - position) {
        break;
      }
      String key = "";
      if (keySize == TraceContext.PARENT_HEADER.length()
          || keySize == TraceContext.STATE_HEADER.length()) {
        key = new String(read(keySize), UTF_8);
      } else {
        skip(keySize);
      }
      int size = readVarintWithin();
      if (size > end - position) {
        break;
      }
      boolean named =
          key.equals(TraceContext.PARENT_HEADER) || key.equals(TraceContext.STATE_HEADER);
      if (named && size > 0 && size <= TraceContext.MAX_STATE) {
        found = Arrays.copyOf(found, found.length + 1);
        found[found.length - 1] = new RecordHeader(key, read(size));
      } else {
        skip(size);
      }
    }
    return found;
  }

  private InputStream stream() {
    InputStream opened = in;
    if (opened == null) {
      opened = source.recordInputStream(buffers);
      in = opened;
    }
    return opened;
  }

  private byte[] read(int length) throws IOException {
    byte[] bytes = new byte[length];
    if (stream().readNBytes(bytes, 0, length) < length) {
      throw new EOFException("a record is cut off");
    }
    position += length;
    return bytes;
  }

  private void skip(long length) throws IOException {
    if (length > 0) {
      stream().skipNBytes(length);
      position += length;
    }
  }

  private int readByte() throws IOException {
    int read = stream().read();
    if (read < 0) {
      throw new EOFException("a record is cut off");
    }
    position++;
    return read;
  }

  private int readVarint() throws IOException {
    return signed(readRawVarint(35, Long.MAX_VALUE));
  }

  /// The same, not beyond the end of the record.
  private int readVarintWithin() throws IOException {
    return signed(readRawVarint(35, end));
  }

  private static int signed(long raw) {
    return (int) (raw >>> 1) ^ -(int) (raw & 1);
  }

  private long readVarlong() throws IOException {
    long raw = readRawVarint(70, Long.MAX_VALUE);
    return (raw >>> 1) ^ -(raw & 1);
  }

  private long readRawVarint(int maxBits, long limit) throws IOException {
    long value = 0;
    for (int shift = 0; shift < maxBits; shift += 7) {
      require(position < limit, "a number is cut off");
      int next = readByte();
      value |= (long) (next & 0x7f) << shift;
      if (next < 0x80) {
        return value;
      }
    }
    throw new InvalidRecordException("a number has too many bytes");
  }

  private static void require(boolean holds, String otherwise) {
    if (!holds) {
      throw new InvalidRecordException(otherwise);
    }
  }

  @Override
  public void close() {
    ended = true;
    if (in != null) {
      try {
        in.close();
      } catch (IOException e) {
        throw new KafkaException("Cannot release the buffers of a batch", e);
      }
    }
  }

  private static final class TooManyHeaders extends Exception {
    private static final long serialVersionUID = 1;

    private final transient UnreadRecord flaw;

    TooManyHeaders(String reason) {
      super(reason);
      flaw = UnreadRecord.oversized(reason);
    }
  }
}
