package io.taskbroker.ingest;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Timestamp;
import com.google.protobuf.UnsafeByteOperations;
import com.google.protobuf.WireFormat;
import io.taskbroker.activation.Activation;
import io.taskbroker.activation.FailurePolicy;
import io.taskbroker.activation.Ids;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Priority;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.inflight.api.Command.IngestedRecord;
import io.taskbroker.proto.v1.RetryState;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.protocol.v1.Task;
import io.taskbroker.wire.WireCheck;
import java.io.IOException;
import java.util.Arrays;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;

/// Decoder of normal topics, whose values are serialised `TaskActivation`s (reference-spec 2.2). A
/// value that is none, or that could not be stored, becomes an [IngestedRecord] with the reason
/// (W8, W10, W11, W29, H12); no input makes it throw.
///
/// It reads the few fields that the broker needs and skips the others. It accepts the same bytes as
/// the generated parser, except tags and lengths of more than 32 bits, which the libraries of
/// workers refuse ([WireCheck]). Not thread-safe.
final class ActivationDecoder implements RecordDecoder {
  static final int MAX_ID_BYTES = 512;
  static final int MAX_NAME_BYTES = 1024;

  private static final int RECURSION_LIMIT = 100;

  private static final int VARINT = WireFormat.WIRETYPE_VARINT;
  private static final int DELIMITED = WireFormat.WIRETYPE_LENGTH_DELIMITED;

  // The tags of TaskActivation, of google.protobuf.Timestamp, of RetryState, and of its headers.
  private static final int ID = TaskActivation.ID_FIELD_NUMBER << 3 | DELIMITED;
  private static final int NAMESPACE = TaskActivation.NAMESPACE_FIELD_NUMBER << 3 | DELIMITED;
  private static final int TASKNAME = TaskActivation.TASKNAME_FIELD_NUMBER << 3 | DELIMITED;
  private static final int PARAMETERS_JSON =
      TaskActivation.PARAMETERS_JSON_FIELD_NUMBER << 3 | DELIMITED;
  private static final int HEADERS = TaskActivation.HEADERS_FIELD_NUMBER << 3 | DELIMITED;
  private static final int RECEIVED_AT = TaskActivation.RECEIVED_AT_FIELD_NUMBER << 3 | DELIMITED;
  private static final int RETRY_STATE = TaskActivation.RETRY_STATE_FIELD_NUMBER << 3 | DELIMITED;
  private static final int DEADLINE =
      TaskActivation.PROCESSING_DEADLINE_DURATION_FIELD_NUMBER << 3 | VARINT;
  private static final int EXPIRES = TaskActivation.EXPIRES_FIELD_NUMBER << 3 | VARINT;
  private static final int DELAY = TaskActivation.DELAY_FIELD_NUMBER << 3 | VARINT;
  private static final int APPLICATION = TaskActivation.APPLICATION_FIELD_NUMBER << 3 | DELIMITED;
  private static final int PRIORITY = Task.PRIORITY_FIELD_NUMBER << 3 | VARINT;
  private static final int SECONDS = Timestamp.SECONDS_FIELD_NUMBER << 3 | VARINT;
  private static final int NANOS = Timestamp.NANOS_FIELD_NUMBER << 3 | VARINT;
  private static final int ATTEMPTS = RetryState.ATTEMPTS_FIELD_NUMBER << 3 | VARINT;
  private static final int ON_ATTEMPTS_EXCEEDED =
      RetryState.ON_ATTEMPTS_EXCEEDED_FIELD_NUMBER << 3 | VARINT;
  private static final int AT_MOST_ONCE = RetryState.AT_MOST_ONCE_FIELD_NUMBER << 3 | VARINT;
  private static final int HEADER_KEY = 1 << 3 | DELIMITED;
  private static final int HEADER_VALUE = 2 << 3 | DELIMITED;
  private static final byte[] PRIORITY_HEADER = Priority.HEADER.getBytes(US_ASCII);

  private final long maxDelaySeconds;
  private final int maxMessageSize;
  private final TimeChanges changes;
  private final NameInterner names = new NameInterner();

  /// Current header: whether it is the one of the priority, and the bounds of its value.
  private boolean isPriorityHeader;

  private int headerStart;
  private int headerEnd;

  /// Receiver of times that the decoder changes (G5).
  interface TimeChanges {
    /// A delay is clamped.
    ///
    /// @param asked seconds, unsigned
    /// @param now milliseconds since the epoch
    void delayCut(String taskname, long asked, long allowed, long now);

    /// Times count from now, because the publisher's clock is ahead.
    ///
    /// @param millis lead of the publisher's clock
    /// @param now milliseconds since the epoch
    void clockAhead(String taskname, long millis, long now);
  }

  /// @param maxDelaySeconds a longer delay is clamped to this
  ActivationDecoder(long maxDelaySeconds, int maxMessageSize, TimeChanges changes) {
    this.maxDelaySeconds = maxDelaySeconds;
    this.maxMessageSize = maxMessageSize;
    this.changes = changes;
  }

  /// Ignores the key of the record, and its headers except for the trace context.
  @Override
  public IngestedRecord decode(
      SourcePartition partition, ConsumerRecord<byte[], byte[]> message, long now) {
    return TraceHeaders.withContext(
        decode(RecordDecoder.origin(message), message.timestamp(), message.value(), now),
        message.headers(),
        maxMessageSize);
  }

  @Override
  public @Nullable String application(ConsumerRecord<byte[], byte[]> message) {
    byte[] value = message.value();
    if (value == null || value.length > maxMessageSize) {
      return null;
    }
    var fields = new ActivationFields();
    try {
      read(value, fields);
    } catch (IOException _) {
      return null;
    }
    return fields.flaw() == null ? fields.application : null;
  }

  @Override
  public boolean isOfOneApplication() {
    return false;
  }

  /// @param timestamp of the record, milliseconds since the epoch
  /// @param value the value of the record, kept as the payload; null for a tombstone
  /// @param now milliseconds since the epoch
  IngestedRecord decode(Origin origin, long timestamp, byte @Nullable [] value, long now) {
    if (value == null) {
      return RecordDecoder.undecodable(
          origin, timestamp, new byte[0], now, "the record has no value");
    }
    if (value.length > maxMessageSize) {
      return RecordDecoder.undecodable(
          origin, timestamp, value, now, value.length + " bytes are more than " + maxMessageSize);
    }
    var fields = new ActivationFields();
    try {
      read(value, fields);
    } catch (IOException e) {
      return RecordDecoder.undecodable(
          origin, timestamp, value, now, "not a TaskActivation: " + e.getMessage());
    }
    String flaw = fields.flaw();
    if (flaw != null) {
      return RecordDecoder.undecodable(origin, timestamp, value, now, flaw);
    }
    tellChanges(fields, now);
    return new IngestedRecord(activation(origin, value, now, fields), null);
  }

  private void tellChanges(ActivationFields fields, long now) {
    if (fields.isDelayCut(maxDelaySeconds)) {
      changes.delayCut(fields.taskname, fields.delay, maxDelaySeconds, now);
    }
    long ahead = fields.aheadBy(now);
    if (ahead > 0) {
      changes.clockAhead(fields.taskname, ahead, now);
    }
  }

  private Activation activation(Origin origin, byte[] value, long now, ActivationFields fields) {
    return new Activation(
        fields.id,
        fields.application,
        fields.namespace,
        fields.taskname,
        value,
        origin,
        fields.receivedAt(now),
        fields.expiresAt(now),
        fields.delayUntil(now, maxDelaySeconds),
        fields.deadlineSeconds(),
        FailurePolicy.ofNumber(fields.onAttemptsExceeded),
        fields.atMostOnce,
        // A retry of a raw task that the worker reported nothing about has no retry state (H8).
        fields.attempts != 0 || Ids.isDerived(fields.id),
        fields.priority());
  }

  private void read(byte[] value, ActivationFields fields) throws IOException {
    check(value, 0, value.length);
    CodedInputStream in = CodedInputStream.newInstance(value);
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      switch (tag) {
        case ID -> fields.id = in.readStringRequireUtf8();
        case NAMESPACE -> fields.namespace = names.read(in, value);
        case TASKNAME -> fields.taskname = names.read(in, value);
        case PARAMETERS_JSON -> {
          int _ = skipText(in, value);
        }
        case HEADERS -> {
          isPriorityHeader = false;
          headerStart = 0;
          headerEnd = 0;
          readNested(in, value, nested -> readHeader(in, value, nested));
          if (isPriorityHeader) {
            fields.headerPriority = priority(value);
          }
        }
        case RECEIVED_AT -> {
          fields.hasReceivedAt = true;
          readNested(in, value, nested -> readTimestamp(in, nested, fields));
        }
        case RETRY_STATE -> readNested(in, value, nested -> readRetryState(in, nested, fields));
        case DEADLINE -> fields.deadlineDuration = in.readUInt64();
        case EXPIRES -> {
          fields.hasExpires = true;
          fields.expires = in.readUInt64();
        }
        case DELAY -> {
          fields.hasDelay = true;
          fields.delay = in.readUInt64();
        }
        case APPLICATION -> fields.application = names.read(in, value);
        case PRIORITY -> fields.priority = in.readSInt32();
        default -> skip(in, tag, 0);
      }
    }
  }

  private static void readTimestamp(CodedInputStream in, int tag, ActivationFields fields)
      throws IOException {
    switch (tag) {
      case SECONDS -> fields.receivedSeconds = in.readInt64();
      case NANOS -> fields.receivedNanos = in.readInt32();
      default -> skip(in, tag, 1);
    }
  }

  private static void readRetryState(CodedInputStream in, int tag, ActivationFields fields)
      throws IOException {
    switch (tag) {
      case ATTEMPTS -> fields.attempts = in.readUInt32();
      case ON_ATTEMPTS_EXCEEDED -> fields.onAttemptsExceeded = in.readEnum();
      case AT_MOST_ONCE -> fields.atMostOnce = in.readBool();
      default -> skip(in, tag, 1);
    }
  }

  /// Reads one field of a header in the map of headers; key and value are text, and only the
  /// priority is kept.
  private void readHeader(CodedInputStream in, byte[] value, int tag) throws IOException {
    switch (tag) {
      case HEADER_KEY -> {
        int start = skipText(in, value);
        isPriorityHeader =
            Arrays.equals(
                value, start, in.getTotalBytesRead(), PRIORITY_HEADER, 0, PRIORITY_HEADER.length);
      }
      case HEADER_VALUE -> {
        headerStart = skipText(in, value);
        headerEnd = in.getTotalBytesRead();
      }
      default -> {
        if (!in.skipField(tag)) {
          throw groupEnd();
        }
      }
    }
  }

  private int priority(byte[] value) {
    return Priority.ofHeader(new String(value, headerStart, headerEnd - headerStart, UTF_8))
        .orElse(ActivationFields.NONE);
  }

  private static void check(byte[] value, int from, int to) throws IOException {
    String flaw = WireCheck.flaw(value, from, to);
    if (flaw != null) {
      throw new InvalidProtocolBufferException(flaw);
    }
  }

  private static void readNested(CodedInputStream in, byte[] value, FieldReader reader)
      throws IOException {
    int length = in.readRawVarint32();
    int outer = in.pushLimit(length);
    check(value, in.getTotalBytesRead(), in.getTotalBytesRead() + length);
    in.setRecursionLimit(RECURSION_LIMIT - 1);
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      reader.read(tag);
    }
    in.setRecursionLimit(RECURSION_LIMIT);
    if (in.getBytesUntilLimit() != 0) {
      throw new InvalidProtocolBufferException("a nested message ends too early");
    }
    in.popLimit(outer);
  }

  /// Skips text that must be UTF-8, without copying it. Returns where it begins.
  private static int skipText(CodedInputStream in, byte[] value) throws IOException {
    int length = in.readRawVarint32();
    int start = in.getTotalBytesRead();
    in.skipRawBytes(length);
    if (!UnsafeByteOperations.unsafeWrap(value, start, length).isValidUtf8()) {
      throw new InvalidProtocolBufferException("text is not UTF-8");
    }
    return start;
  }

  /// Skips an unknown field by reading it, as the parser does: `skipField` is stricter with
  /// numbers. The parser uses `skipField` only inside a map entry.
  private static void skip(CodedInputStream in, int tag, int depth) throws IOException {
    switch (WireFormat.getTagWireType(tag)) {
      case WireFormat.WIRETYPE_VARINT -> in.readInt64();
      case WireFormat.WIRETYPE_START_GROUP ->
          skipGroup(in, WireFormat.getTagFieldNumber(tag), depth);
      default -> {
        if (!in.skipField(tag)) {
          throw groupEnd();
        }
      }
    }
  }

  private static void skipGroup(CodedInputStream in, int field, int depth) throws IOException {
    if (depth >= RECURSION_LIMIT) {
      throw new InvalidProtocolBufferException("groups are nested too deep");
    }
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      if (WireFormat.getTagWireType(tag) != WireFormat.WIRETYPE_END_GROUP) {
        skip(in, tag, depth + 1);
      } else if (WireFormat.getTagFieldNumber(tag) == field) {
        return;
      } else {
        throw groupEnd();
      }
    }
    throw new InvalidProtocolBufferException("a group does not end");
  }

  private static InvalidProtocolBufferException groupEnd() {
    return new InvalidProtocolBufferException("a group ends that did not begin");
  }

  private interface FieldReader {
    void read(int tag) throws IOException;
  }
}
