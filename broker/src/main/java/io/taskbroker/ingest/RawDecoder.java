package io.taskbroker.ingest;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdCompressCtx;
import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.taskbroker.activation.Activation;
import io.taskbroker.activation.FailurePolicy;
import io.taskbroker.activation.Ids;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Timestamps;
import io.taskbroker.inflight.api.Command.IngestedRecord;
import io.taskbroker.proto.v1.TaskActivation;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.jspecify.annotations.Nullable;

/// Decoder of raw topics: each record is the one argument of the configured task (reference-spec
/// 9.9). The id is derived from the UUID of the topic, the partition and the record's identity. So
/// a record that is read twice is one task, and a new record at the offset of a lost one is another
/// (G4, W22).
///
/// Buffers and compressor are reused for each record, and released after a large one.
final class RawDecoder implements RecordDecoder {
  /// Largest value in bytes. A larger one is undecodable even if it would compress well, since a
  /// worker must hold it.
  static final int MAX_VALUE_BYTES = 64 << 20;

  private static final String COMPRESSION = "compression-type";
  private static final long MAX_MILLIS = 253_402_300_799_999L; // the end of the year 9999
  private static final int MAX_KEPT_BUFFER = 1 << 20;

  private final RawTask task;
  private final int maxMessageSize;
  private final Sizes sizes;
  private final TaskActivation prototype;
  private final Parameters parameters = new Parameters();
  private byte[] compressed = {};
  private @Nullable ZstdCompressCtx compressor;

  /// @param sizes observes each record that becomes an activation
  RawDecoder(RawTask task, int maxMessageSize, Sizes sizes) {
    this.task = task;
    this.maxMessageSize = maxMessageSize;
    this.sizes = sizes;
    this.prototype =
        TaskActivation.newBuilder()
            .setApplication(task.application())
            .setNamespace(task.namespace())
            .setTaskname(task.taskname())
            .setProcessingDeadlineDuration(task.deadline().toSeconds())
            .build();
  }

  /// The configured application. A record without a value counts as one with an empty value.
  @Override
  public String application(ConsumerRecord<byte[], byte[]> message) {
    return task.application();
  }

  @Override
  public boolean isOfOneApplication() {
    return true;
  }

  @Override
  public IngestedRecord decode(
      SourcePartition partition, ConsumerRecord<byte[], byte[]> message, long now) {
    byte @Nullable [] nullable = message.value();
    byte[] value = nullable == null ? new byte[0] : nullable;
    Origin origin = RecordDecoder.origin(message);
    if (value.length > MAX_VALUE_BYTES) {
      return RecordDecoder.undecodable(
          message, value, now, value.length + " bytes are more than " + MAX_VALUE_BYTES);
    }
    String id = Ids.raw(partition.topicId(), message.partition(), RecordDecoder.identity(message));
    long timestamp = message.timestamp();
    long receivedAt = timestamp >= 0 && timestamp <= MAX_MILLIS ? timestamp : now;
    byte[] payload = payload(id, receivedAt, value, message.headers());
    if (payload.length > maxMessageSize) {
      return RecordDecoder.undecodable(
          message,
          value,
          now,
          "as an activation it has "
              + payload.length
              + " bytes, which are more than "
              + maxMessageSize);
    }
    var activation =
        new Activation(
            id,
            task.application(),
            task.namespace(),
            task.taskname(),
            payload,
            origin,
            receivedAt,
            Activation.NEVER,
            0,
            (int) task.deadline().toSeconds(),
            FailurePolicy.DISCARD,
            false,
            true);
    return new IngestedRecord(activation, null);
  }

  private byte[] payload(String id, long receivedAt, byte[] value, Iterable<Header> headers) {
    TaskActivation.Builder activation =
        prototype.toBuilder().setId(id).setReceivedAt(Timestamps.ofMillis(receivedAt));
    for (Header header : headers) {
      byte @Nullable [] text = header.value();
      if (text != null && UnsafeByteOperations.unsafeWrap(text).isValidUtf8()) {
        activation.putHeaders(header.key(), new String(text, UTF_8));
      }
    }
    if (task.compresses()) {
      activation.putHeaders(COMPRESSION, "zstd");
    } else {
      activation.removeHeaders(COMPRESSION); // the parameters are not compressed
    }
    int length = parameters.write(value);
    ByteString sent = bytes(length);
    sizes.observe(value.length, sent.size());
    byte[] payload = activation.setParametersBytes(sent).build().toByteArray();
    forgetLargeBuffers();
    return payload;
  }

  /// The parameters as sent, in a buffer that is reused.
  private ByteString bytes(int length) {
    if (!task.compresses()) {
      return UnsafeByteOperations.unsafeWrap(parameters.buffer, 0, length);
    }
    int bound = (int) Zstd.compressBound(length);
    if (compressed.length < bound) {
      compressed = new byte[bound];
    }
    int size =
        compressor()
            .compressByteArray(compressed, 0, compressed.length, parameters.buffer, 0, length);
    return UnsafeByteOperations.unsafeWrap(compressed, 0, size);
  }

  private ZstdCompressCtx compressor() {
    ZstdCompressCtx created = compressor;
    if (created == null) {
      // Without the size in the frame, Python's decompressor refuses it (reference-spec 2.3).
      created = new ZstdCompressCtx().setLevel(task.compressionLevel()).setContentSize(true);
      compressor = created;
    }
    return created;
  }

  private void forgetLargeBuffers() {
    if (parameters.buffer.length > MAX_KEPT_BUFFER) {
      parameters.buffer = new byte[0];
      compressed = new byte[0];
      close();
    }
  }

  @Override
  public void close() {
    if (compressor != null) {
      compressor.close();
      compressor = null;
    }
  }

  /// Observer of the sizes of records.
  interface Sizes {
    /// @param value bytes of the record
    /// @param parameters bytes of its parameters, compressed if the task is
    void observe(int value, int parameters);
  }

  /// Writes `{"args": [value], "kwargs": {}}` in MessagePack, the value as binary.
  private static final class Parameters {
    private static final byte[] HEAD = {(byte) 0x82, (byte) 0xa4, 'a', 'r', 'g', 's', (byte) 0x91};
    private static final byte[] TAIL = {(byte) 0xa6, 'k', 'w', 'a', 'r', 'g', 's', (byte) 0x80};
    private static final int MAX_LENGTH_BYTES = 5;

    private byte[] buffer = {};
    private int end;

    /// @return the number of bytes written to the buffer
    int write(byte[] value) {
      int most = HEAD.length + MAX_LENGTH_BYTES + value.length + TAIL.length;
      if (buffer.length < most) {
        buffer = new byte[most];
      }
      end = 0;
      add(HEAD);
      if (value.length < 1 << 8) {
        addLength(0xc4, value.length, 1);
      } else if (value.length < 1 << 16) {
        addLength(0xc5, value.length, 2);
      } else {
        addLength(0xc6, value.length, 4);
      }
      add(value);
      add(TAIL);
      return end;
    }

    private void add(byte[] bytes) {
      System.arraycopy(bytes, 0, buffer, end, bytes.length);
      end += bytes.length;
    }

    private void addLength(int kind, int length, int bytes) {
      buffer[end++] = (byte) kind;
      for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) {
        buffer[end++] = (byte) (length >>> shift);
      }
    }
  }
}
