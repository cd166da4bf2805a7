package io.taskbroker.ingest;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.InvalidProtocolBufferException;
import io.taskbroker.activation.Activation;
import io.taskbroker.activation.FailurePolicy;
import io.taskbroker.activation.Origin;
import io.taskbroker.inflight.api.Command.IngestedRecord;
import io.taskbroker.proto.v1.TaskActivation;
import java.util.Map;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.junit.jupiter.api.Test;

/// Trace contexts that producers write into the headers of Kafka records.
final class TraceHeadersTest {
  private static final String PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  private static final String OWN = "00-5bf92f3577b34da6a3ce929d0e0e4736-10f067aa0ba902b7-00";
  private static final int LARGE = 1 << 20;

  @Test
  void theContextBecomesAHeaderOfTheTask() throws InvalidProtocolBufferException {
    Activation task = task(Map.of("own", "kept"));
    Map<String, String> headers = headers(withContext(task, record(PARENT, "vendor=1"), LARGE));
    assertThat(headers)
        .isEqualTo(Map.of("own", "kept", "traceparent", PARENT, "tracestate", "vendor=1"));
  }

  @Test
  void aTaskKeepsItsOwnContext() {
    Activation w3c = task(Map.of("traceparent", OWN));
    assertThat(withContext(w3c, record(PARENT, ""), LARGE)).isSameAs(w3c);
    Activation sentry = task(Map.of("sentry-trace", OWN.substring(3, 52)));
    assertThat(withContext(sentry, record(PARENT, ""), LARGE)).isSameAs(sentry);
  }

  @Test
  void g7WhatIsMalformedOrTooLongOrDoesNotFitIsIgnored() throws InvalidProtocolBufferException {
    Activation task = task(Map.of());
    int size = task.payload().length;
    assertThat(withContext(task, new RecordHeaders(), LARGE)).isSameAs(task);
    assertThat(withContext(task, record("", ""), LARGE)).isSameAs(task);
    assertThat(withContext(task, record(PARENT + "-x", ""), LARGE)).isSameAs(task);
    assertThat(withContext(task, record(PARENT.replace('4', 'ä'), ""), LARGE)).isSameAs(task);
    assertThat(withContext(task, record(PARENT, ""), size + 60)).isSameAs(task);
    String longState = "a=" + "x".repeat(511);
    assertThat(headers(withContext(task, record(PARENT, longState), LARGE)))
        .isEqualTo(Map.of("traceparent", PARENT));
  }

  private static Activation withContext(Activation task, Headers headers, int maxSize) {
    return TraceHeaders.withContext(new IngestedRecord(task, null), headers, maxSize).activation();
  }

  private static Headers record(String parent, String state) {
    Headers headers = new RecordHeaders().add("traceparent", parent.getBytes(UTF_8));
    return state.isEmpty() ? headers : headers.add("tracestate", state.getBytes(UTF_8));
  }

  private static Map<String, String> headers(Activation task)
      throws InvalidProtocolBufferException {
    return TaskActivation.parseFrom(task.payload()).getHeadersMap();
  }

  private static Activation task(Map<String, String> headers) {
    return new Activation(
        "a",
        "app",
        "ns",
        "task",
        TaskActivation.newBuilder().setId("a").putAllHeaders(headers).build().toByteArray(),
        new Origin("tasks", 0, 7),
        0,
        Activation.NEVER,
        0,
        10,
        FailurePolicy.DISCARD,
        false,
        false);
  }
}
