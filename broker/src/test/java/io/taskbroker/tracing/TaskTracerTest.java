package io.taskbroker.tracing;

import static org.assertj.core.api.Assertions.assertThat;

import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import io.opentelemetry.sdk.trace.samplers.Sampler;
import io.taskbroker.activation.Activation;
import io.taskbroker.activation.FailurePolicy;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Retries;
import io.taskbroker.inflight.api.TaskSpan;
import io.taskbroker.inflight.api.TaskSpan.Step;
import io.taskbroker.proto.v1.TaskActivation;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// Which spans are made of the steps of a task, and with which ids.
final class TaskTracerTest {
  private static final String TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
  private static final String PUBLISHER = "00f067aa0ba902b7";

  private final List<SpanData> spans = new ArrayList<>();

  @Test
  void thePublishersDecisionHolds() {
    TaskTracer tracer = tracer(Sampler.parentBased(Sampler.alwaysOn()));
    tracer.ended(stay(task("a", Map.of("traceparent", parent("00"))), 1_000));
    assertThat(spans).isEmpty();
    tracer.ended(stay(task("a", Map.of("traceparent", parent("01"))), 1_000));
    assertThat(spans).hasSize(1);
    assertThat(spans.getFirst().getTraceId()).isEqualTo(TRACE);
    assertThat(spans.getFirst().getParentSpanId()).isEqualTo(PUBLISHER);
  }

  @Test
  void theStateOfTheTraceIsKept() {
    TaskTracer tracer = tracer(Sampler.alwaysOn());
    tracer.ended(
        stay(task("a", Map.of("traceparent", parent("01"), "tracestate", "vendor=1")), 1_000));
    assertThat(spans.getFirst().getSpanContext().getTraceState().get("vendor")).isEqualTo("1");
  }

  @Test
  void sentrysContextCountsWhereThereIsNoOther() {
    TaskTracer tracer = tracer(Sampler.parentBased(Sampler.alwaysOn()));
    tracer.ended(stay(task("a", Map.of("sentry-trace", TRACE + "-" + PUBLISHER + "-0")), 1_000));
    assertThat(spans).isEmpty();
    tracer.ended(stay(task("a", Map.of("sentry-trace", TRACE + "-" + PUBLISHER)), 1_000));
    assertThat(spans.getFirst().getTraceId()).isEqualTo(TRACE);
    assertThat(spans.getFirst().getParentSpanId()).isEqualTo(PUBLISHER);
  }

  @Test
  void aTaskWithoutContextSharesATraceWithItsRetries() {
    TaskTracer tracer = tracer(Sampler.alwaysOn());
    Activation first = task("a", Map.of());
    Retries.Retry retry = Retries.of(first.payload(), "a", 0, -1, -1, 5).orElseThrow();
    tracer.ended(stay(first, 1_000));
    tracer.ended(stay(activation(retry.id(), retry.payload()), 2_000));

    assertThat(spans).hasSize(2);
    assertThat(spans.getFirst().getTraceId()).isEqualTo(spans.getLast().getTraceId());
    assertThat(spans.getFirst().getSpanId()).isNotEqualTo(spans.getLast().getSpanId());
  }

  @Test
  void theRatioDecidesAlikeForEachStepOfATask() {
    TaskTracer tracer = tracer(Sampler.traceIdRatioBased(0.5));
    int traced = 0;
    for (int i = 0; i < 200; i++) {
      spans.clear();
      Activation task = task("task-" + i, Map.of());
      tracer.ended(stay(task, 1_000));
      tracer.ended(delivery(task, 1_000));
      assertThat(spans.size()).isIn(0, 2);
      assertThat(tracer.sampledTrace(task) != null).isEqualTo(!spans.isEmpty());
      traced += spans.size() / 2;
    }
    assertThat(traced).isBetween(60, 140);
  }

  @Test
  void stepsAreChildrenOfTheStayWhicheverProcessTellsThem() {
    Activation task = task("a", Map.of("traceparent", parent("01")));
    tracer(Sampler.alwaysOn()).ended(delivery(task, 1_000));
    tracer(Sampler.alwaysOn()).ended(stay(task, 1_000));
    tracer(Sampler.alwaysOn()).ended(stay(task, 1_001));

    SpanData delivery = spans.get(0);
    assertThat(delivery.getParentSpanId()).isEqualTo(spans.get(1).getSpanId());
    assertThat(delivery.getParentSpanId()).isNotEqualTo(spans.get(2).getSpanId());
    assertThat(delivery.getKind()).isEqualTo(SpanKind.CLIENT);
    assertThat(delivery.getLinks().getFirst().getSpanContext().getSpanId()).isEqualTo(PUBLISHER);
  }

  @Test
  void whatIsNoActivationHasNoSpan() {
    TaskTracer tracer = tracer(Sampler.alwaysOn());
    tracer.ended(stay(activation("a", new byte[0]), 1_000));
    assertThat(spans).isEmpty();
  }

  private static String parent(String flags) {
    return "00-" + TRACE + "-" + PUBLISHER + "-" + flags;
  }

  private static TaskSpan stay(Activation task, long storedAt) {
    return new TaskSpan(
        Step.IN_FLIGHT, task, storedAt, storedAt, storedAt + 9, 0, "", "completed", false, "");
  }

  private static TaskSpan delivery(Activation task, long storedAt) {
    return new TaskSpan(
        Step.DELIVERY, task, storedAt, storedAt + 1, storedAt + 2, 1, "w", "refused", true, "why");
  }

  private static Activation task(String id, Map<String, String> headers) {
    return activation(
        id, TaskActivation.newBuilder().setId(id).putAllHeaders(headers).build().toByteArray());
  }

  private static Activation activation(String id, byte[] payload) {
    return new Activation(
        id,
        "app",
        "ns",
        "task",
        payload,
        new Origin("tasks", 0, 7),
        0,
        Activation.NEVER,
        0,
        10,
        FailurePolicy.DISCARD,
        false,
        false);
  }

  private TaskTracer tracer(Sampler sampler) {
    var ids = new SpanIds();
    SdkTracerProvider provider =
        SdkTracerProvider.builder()
            .setIdGenerator(ids)
            .addSpanProcessor(SimpleSpanProcessor.create(new Collector()))
            .build();
    return new TaskTracer(provider.get("test"), sampler, ids);
  }

  private final class Collector implements SpanExporter {
    @Override
    public CompletableResultCode export(Collection<SpanData> ended) {
      spans.addAll(ended);
      return CompletableResultCode.ofSuccess();
    }

    @Override
    public CompletableResultCode flush() {
      return CompletableResultCode.ofSuccess();
    }

    @Override
    public CompletableResultCode shutdown() {
      return CompletableResultCode.ofSuccess();
    }
  }
}
