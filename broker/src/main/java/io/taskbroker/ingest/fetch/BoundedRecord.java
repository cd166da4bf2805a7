package io.taskbroker.ingest.fetch;

import java.nio.ByteBuffer;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.jspecify.annotations.Nullable;

/// Record whose value is read from its batch when the consumer asks for its key. The consumer does
/// that first, and again in the next poll if there was no memory. Keys are ignored and always null.
final class BoundedRecord implements Record {
  private final @Nullable BatchReader reader;
  private final long offset;
  private final long timestamp;
  private final int size;
  private boolean loaded;
  private @Nullable ByteBuffer value;
  private Header[] headers = EMPTY_HEADERS;

  BoundedRecord(@Nullable BatchReader reader, long offset, long timestamp, int size) {
    this.reader = reader;
    this.offset = offset;
    this.timestamp = timestamp;
    this.size = size;
  }

  /// Replacement for records that are not read.
  static BoundedRecord flawed(UnreadRecord flaw, long offset) {
    var record = new BoundedRecord(null, offset, RecordBatch.NO_TIMESTAMP, 0);
    record.become(flaw);
    return record;
  }

  void become(UnreadRecord flaw) {
    become(null, new Header[] {flaw});
  }

  void become(@Nullable ByteBuffer content, Header[] all) {
    value = content;
    headers = all;
    loaded = true;
  }

  private void load() {
    if (!loaded && reader != null) {
      reader.load(this);
    }
  }

  @Override
  public @Nullable ByteBuffer key() {
    load();
    return null;
  }

  @Override
  public @Nullable ByteBuffer value() {
    load();
    return value;
  }

  @Override
  public Header[] headers() {
    load();
    return headers;
  }

  @Override
  public long offset() {
    return offset;
  }

  @Override
  public int sequence() {
    return RecordBatch.NO_SEQUENCE;
  }

  @Override
  public int sizeInBytes() {
    return size;
  }

  @Override
  public long timestamp() {
    return timestamp;
  }

  @Override
  public void ensureValid() {}

  @Override
  public int keySize() {
    return -1;
  }

  @Override
  public boolean hasKey() {
    return false;
  }

  @Override
  public int valueSize() {
    load();
    return value == null ? -1 : value.remaining();
  }

  @Override
  public boolean hasValue() {
    load();
    return value != null;
  }

  @Override
  public boolean hasMagic(byte magic) {
    return magic >= RecordBatch.MAGIC_VALUE_V2;
  }

  @Override
  public boolean isCompressed() {
    return false;
  }

  @Override
  public boolean hasTimestampType(TimestampType type) {
    return false;
  }
}
