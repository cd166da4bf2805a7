package io.taskbroker.activation;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;
import io.taskbroker.proto.v1.RetryState;
import io.taskbroker.proto.v1.TaskActivation;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Identity of a task in log lines and in dead-letter headers. Immutable.
///
/// A retry has an id of its own; the header [#FIRST_ID_HEADER] of its payload carries the id of the
/// first attempt, which links a chain of retries ([ADR 17](docs/adr/0017-task-identity.md)).
///
/// @param id of this attempt
/// @param attempt 1 for the first attempt, one more for each retry
/// @param firstId id of the first attempt; the own id if this is no retry
/// @param trace null if its publisher named none
public record TaskIdentity(
    String id,
    String taskname,
    String application,
    String namespace,
    long attempt,
    String firstId,
    @Nullable TraceContext trace) {

  /// Header that carries the id of the first attempt.
  public static final String FIRST_ID_HEADER = "taskbroker-first-id";

  /// Brokers accept no longer ids, and no tracing system writes a longer trace state.
  private static final int MAX_VALUE_BYTES = 512;

  private static final int MAX_KEY_BYTES = FIRST_ID_HEADER.length();

  private static final int DELIMITED = WireFormat.WIRETYPE_LENGTH_DELIMITED;
  private static final int HEADERS = TaskActivation.HEADERS_FIELD_NUMBER << 3 | DELIMITED;
  private static final int RETRY_STATE = TaskActivation.RETRY_STATE_FIELD_NUMBER << 3 | DELIMITED;
  private static final int ATTEMPTS =
      RetryState.ATTEMPTS_FIELD_NUMBER << 3 | WireFormat.WIRETYPE_VARINT;
  private static final int KEY = 1 << 3 | DELIMITED;
  private static final int VALUE = 2 << 3 | DELIMITED;

  /// Identity from the payload, whose parameters are skipped. A payload that does not decode or is
  /// not in memory gives a first attempt.
  public static TaskIdentity of(Activation activation) {
    var chain = new Chain();
    try {
      chain.read(CodedInputStream.newInstance(activation.payload()));
    } catch (IOException _) {
      chain = new Chain();
    }
    String first = chain.firstId;
    return new TaskIdentity(
        activation.id(),
        activation.taskname(),
        activation.application(),
        activation.namespace(),
        chain.attempts + 1,
        first == null ? activation.id() : first,
        chain.trace());
  }

  /// Log fields by name, in output order.
  public Map<String, Object> fields() {
    var fields = new LinkedHashMap<String, Object>();
    fields.put("task_id", id);
    fields.put("taskname", taskname);
    fields.put("application", application);
    fields.put("namespace", namespace);
    fields.put("attempt", attempt);
    fields.put("first_id", firstId);
    if (trace != null) {
      fields.put("trace_id", trace.traceId());
    }
    return fields;
  }

  /// First id, attempt and trace, which only the payload has.
  private static final class Chain {
    private @Nullable String firstId;
    private long attempts;
    private String traceParent = "";
    private String traceState = "";
    private String sentryTrace = "";

    @Nullable TraceContext trace() {
      TraceContext named = TraceContext.of(traceParent, traceState);
      return named == null ? TraceContext.ofSentry(sentryTrace) : named;
    }

    void read(CodedInputStream in) throws IOException {
      for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
        switch (tag) {
          case HEADERS -> within(in, this::readHeader);
          case RETRY_STATE -> within(in, this::readRetryState);
          default -> skip(in, tag);
        }
      }
    }

    private void readHeader(CodedInputStream in) throws IOException {
      String key = "";
      String value = "";
      for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
        switch (tag) {
          case KEY -> key = text(in, MAX_KEY_BYTES);
          case VALUE -> value = text(in, MAX_VALUE_BYTES);
          default -> skip(in, tag);
        }
      }
      if (value.isEmpty()) {
        return;
      }
      switch (key) {
        case FIRST_ID_HEADER -> firstId = value;
        case TraceContext.PARENT_HEADER -> traceParent = value;
        case TraceContext.STATE_HEADER -> traceState = value;
        case TraceContext.SENTRY_HEADER -> sentryTrace = value;
        default -> {}
      }
    }

    private void readRetryState(CodedInputStream in) throws IOException {
      for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
        if (tag == ATTEMPTS) {
          attempts = Integer.toUnsignedLong(in.readUInt32());
        } else {
          skip(in, tag);
        }
      }
    }

    /// Text of at most `max` bytes; empty if it is longer, which skips it.
    private static String text(CodedInputStream in, int max) throws IOException {
      int length = in.readRawVarint32();
      if (length > max) {
        in.skipRawBytes(length);
        return "";
      }
      return new String(in.readRawBytes(length), UTF_8);
    }

    private static void within(CodedInputStream in, Reader reader) throws IOException {
      int outer = in.pushLimit(in.readRawVarint32());
      reader.read(in);
      in.popLimit(outer);
    }

    private static void skip(CodedInputStream in, int tag) throws IOException {
      if (!in.skipField(tag)) {
        throw new IOException("end-group tag without a start");
      }
    }

    private interface Reader {
      void read(CodedInputStream in) throws IOException;
    }
  }
}
