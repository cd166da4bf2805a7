package io.taskbroker.client.tracing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.context.Scope;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import io.taskbroker.EmbeddedBroker;
import io.taskbroker.client.RetryPolicy;
import io.taskbroker.client.Task;
import io.taskbroker.client.TaskClient;
import io.taskbroker.client.TaskHandle;
import io.taskbroker.client.Worker;
import io.taskbroker.testkit.Ports;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.MDC;

/// Spans from a call to the attempts that it leads to, through a real broker.
@Timeout(240)
@SuppressWarnings("try") // Workers and scopes end with their blocks.
final class TaskTracingTest {
  private static final AttributeKey<Long> ATTEMPT = AttributeKey.longKey("taskbroker.attempt");
  private static final Task<String> TASK =
      Task.of("trace", String.class)
          .retry(RetryPolicy.fixed(2, Duration.ofMillis(1)).thenDiscard());

  private final InMemorySpanExporter exporter = InMemorySpanExporter.create();
  private final OpenTelemetrySdk telemetry =
      OpenTelemetrySdk.builder()
          .setTracerProvider(
              SdkTracerProvider.builder()
                  .addSpanProcessor(SimpleSpanProcessor.create(exporter))
                  .build())
          .build();
  private final TaskTracing tracing = new TaskTracing(telemetry);
  private final List<String> loggedTraces = new CopyOnWriteArrayList<>();
  @TempDir private Path dir;
  private EmbeddedBroker broker;

  @BeforeEach
  void startBroker() {
    broker =
        EmbeddedBroker.start(
            Map.of(
                "TASKBROKER_KAFKA_ENABLED", "false",
                "TASKBROKER_GRPC_ADDR", "127.0.0.1",
                "TASKBROKER_GRPC_PORT", Integer.toString(Ports.free()),
                "TASKBROKER_METRICS_ADDR", "127.0.0.1:0",
                "TASKBROKER_STORE__SQLITE__PATH", dir.resolve("store").toString()));
  }

  @AfterEach
  void stopBroker() {
    broker.close();
    telemetry.close();
  }

  @Test
  void aTraceGoesFromTheCallToEachAttempt() {
    try (TaskClient client = tracing.trace(TaskClient.builder().target(broker.address())).build();
        Worker worker =
            Worker.builder(client)
                .middleware(tracing)
                .handle(
                    TASK,
                    (text, context) -> {
                      loggedTraces.add(String.valueOf(MDC.get("trace_id")));
                      if (context.attempt() == 1) {
                        throw new IllegalStateException("not yet");
                      }
                    })
                .start()) {
      Span request = telemetry.getTracer("test").spanBuilder("request").startSpan();
      TaskHandle handle;
      try (Scope ignored = request.makeCurrent()) {
        handle = client.enqueue(TASK, "text");
      }
      request.end();
      await().until(() -> named("process default").size() == 2);

      String trace = request.getSpanContext().getTraceId();
      assertThat(exporter.getFinishedSpanItems())
          .extracting(SpanData::getTraceId)
          .containsOnly(trace);
      SpanData created = named("create default").getFirst();
      assertThat(created.getKind()).isEqualTo(SpanKind.PRODUCER);
      assertThat(created.getParentSpanId()).isEqualTo(request.getSpanContext().getSpanId());
      SpanData sent = named("send default").getFirst();
      assertThat(sent.getParentSpanId()).isEqualTo(request.getSpanContext().getSpanId());
      assertThat(links(sent)).containsExactly(created.getSpanId());
      assertThat(sent.getAttributes().get(AttributeKey.stringKey("messaging.message.id")))
          .isEqualTo(handle.id());

      List<SpanData> runs = named("process default");
      assertThat(runs).extracting(SpanData::getParentSpanId).containsOnly(created.getSpanId());
      assertThat(links(runs.getFirst())).containsExactly(created.getSpanId());
      assertThat(runs.getFirst().getAttributes().get(ATTEMPT)).isEqualTo(1);
      assertThat(runs.getFirst().getStatus().getStatusCode()).isEqualTo(StatusCode.ERROR);
      assertThat(runs.getLast().getAttributes().get(ATTEMPT)).isEqualTo(2);
      assertThat(runs.getLast().getStatus().getStatusCode()).isEqualTo(StatusCode.UNSET);
      assertThat(loggedTraces).containsExactly(trace, trace);
    }
  }

  @Test
  void aContextOfTheCallerIsKept() {
    String parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    try (TaskClient client = tracing.trace(TaskClient.builder().target(broker.address())).build();
        Worker worker =
            Worker.builder(client).middleware(tracing).handle(TASK, text -> {}).start()) {
      client.enqueue(TASK.with("text").header("traceparent", parent));
      await().until(() -> named("process default").size() == 1);

      assertThat(named("create default")).isEmpty();
      assertThat(links(named("send default").getFirst())).containsExactly("00f067aa0ba902b7");
      assertThat(named("process default").getFirst().getParentSpanId())
          .isEqualTo("00f067aa0ba902b7");
    }
  }

  private List<SpanData> named(String name) {
    return exporter.getFinishedSpanItems().stream()
        .filter(span -> span.getName().equals(name))
        .toList();
  }

  private static List<String> links(SpanData span) {
    return span.getLinks().stream().map(link -> link.getSpanContext().getSpanId()).toList();
  }
}
