package io.taskbroker.ingest;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.TaskIdentity;
import io.taskbroker.activation.TraceContext;
import io.taskbroker.inflight.api.Command.IngestedRecord;
import io.taskbroker.proto.v1.TaskActivation;
import java.util.Arrays;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.jspecify.annotations.Nullable;

/// Trace context of a Kafka record, which tracing libraries of producers write beside the task. It
/// becomes a header of the task, and so reaches workers, retries and dead letters. A task with a
/// context of its own keeps that. Stateless.
final class TraceHeaders {
  private TraceHeaders() {}

  /// The record with the trace context of its headers, if they have one and it fits.
  ///
  /// @param maxSize largest payload, bytes
  static IngestedRecord withContext(IngestedRecord decoded, Headers headers, int maxSize) {
    String parent = text(headers.lastHeader(TraceContext.PARENT_HEADER));
    if (parent.isEmpty() || decoded.undecodable() != null) {
      return decoded;
    }
    Activation activation = decoded.activation();
    String state = text(headers.lastHeader(TraceContext.STATE_HEADER));
    TraceContext context = TraceContext.of(parent, state);
    if (context == null || TaskIdentity.of(activation).trace() != null) {
      return decoded;
    }
    TaskActivation.Builder added =
        TaskActivation.newBuilder().putHeaders(TraceContext.PARENT_HEADER, parent);
    if (!context.state().isEmpty()) {
      added.putHeaders(TraceContext.STATE_HEADER, context.state());
    }
    byte[] payload = activation.payload();
    byte[] more = added.build().toByteArray();
    if (payload.length + more.length > maxSize) {
      return decoded;
    }
    byte[] all = Arrays.copyOf(payload, payload.length + more.length);
    System.arraycopy(more, 0, all, payload.length, more.length);
    return new IngestedRecord(activation.withPayload(all), null);
  }

  /// The value if it is short printable ASCII; otherwise empty.
  private static String text(@Nullable Header header) {
    byte[] value = header == null ? null : header.value();
    if (value == null || value.length > TraceContext.MAX_STATE) {
      return "";
    }
    for (byte each : value) {
      if (each < ' ' || each > '~') {
        return "";
      }
    }
    return new String(value, ISO_8859_1);
  }
}
