package io.taskbroker.client.tracing;

import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanBuilder;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import io.opentelemetry.context.propagation.TextMapGetter;
import io.taskbroker.client.TaskCall;
import io.taskbroker.client.TaskClient;
import io.taskbroker.client.TaskContext;
import io.taskbroker.client.TaskMiddleware;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;

/// Spans from the call of a task to its run, by OpenTelemetry's conventions for messaging. The
/// context travels in the W3C headers `traceparent` and `tracestate` of the task. Thread-safe.
///
/// ```java
/// TaskTracing tracing = new TaskTracing(openTelemetry);
/// TaskClient client = tracing.trace(TaskClient.builder().target("localhost:50051")).build();
/// Worker worker = Worker.builder(client).middleware(tracing).task(SEND_RECEIPT).start();
/// ```
///
/// | span | kind | from, to | parent |
/// |---|---|---|---|
/// | `create APPLICATION` | producer | when the call is made | the current span |
/// | `send APPLICATION` | client | until the call is durable at the broker | the current span, with a link to `create` |
/// | `process APPLICATION` | consumer | one attempt in a worker | `create`, with a link to it |
///
/// A call that has a `traceparent` header keeps it, and gets no `create` span. During an attempt
/// the log context (MDC) has `trace_id` and `span_id`.
public final class TaskTracing implements TaskMiddleware {
  private static final String TRACE_ID = "trace_id";
  private static final String SPAN_ID = "span_id";
  private static final TextMapGetter<Map<String, String>> HEADERS = new Headers();

  private final Tracer tracer;

  public TaskTracing(OpenTelemetry telemetry) {
    this.tracer = telemetry.getTracer("io.taskbroker.client");
  }

  /// Traces the calls of a client. Call it after other interceptors are added.
  ///
  /// @return the builder
  public TaskClient.Builder trace(TaskClient.Builder client) {
    return client.intercept(this::created).wrap(transport -> new TracedTransport(transport, this));
  }

  private TaskCall<?> created(TaskCall<?> call) {
    if (call.headers().containsKey(TracedTransport.PARENT)) {
      return call;
    }
    String application = call.task().application();
    Span span =
        builder("create", "create", application, SpanKind.PRODUCER)
            .setAttribute("taskbroker.task.name", call.task().name())
            .setAttribute("taskbroker.namespace", call.task().namespace())
            .startSpan();
    call.id().ifPresent(id -> span.setAttribute("messaging.message.id", id));
    span.end();
    Map<String, String> headers = new HashMap<>();
    W3CTraceContextPropagator.getInstance()
        .inject(Context.root().with(span), headers, (all, key, value) -> put(all, key, value));
    TaskCall<?> traced = call;
    for (Map.Entry<String, String> header : headers.entrySet()) {
      traced = traced.header(header.getKey(), header.getValue());
    }
    return traced;
  }

  private static void put(@Nullable Map<String, String> headers, String key, String value) {
    if (headers != null) {
      headers.put(key, value);
    }
  }

  /// A span by the conventions.
  ///
  /// @param destination may be empty
  SpanBuilder builder(String operation, String type, String destination, SpanKind kind) {
    return tracer
        .spanBuilder(operation + " " + destination)
        .setSpanKind(kind)
        .setAttribute("messaging.system", "taskbroker")
        .setAttribute("messaging.operation.name", operation)
        .setAttribute("messaging.operation.type", type)
        .setAttribute("messaging.destination.name", destination);
  }

  /// The span that a task was created in; invalid if its headers name none.
  static SpanContext creation(Map<String, String> headers) {
    return Span.fromContext(
            W3CTraceContextPropagator.getInstance().extract(Context.root(), headers, HEADERS))
        .getSpanContext();
  }

  @Override
  @SuppressWarnings("try") // The scope ends with the block.
  public void around(TaskContext task, Attempt next) throws Exception {
    SpanContext creation = creation(task.headers());
    SpanBuilder builder =
        builder("process", "process", task.application(), SpanKind.CONSUMER)
            .setAttribute("messaging.message.id", task.id())
            .setAttribute("taskbroker.task.name", task.name())
            .setAttribute("taskbroker.namespace", task.namespace())
            .setAttribute("taskbroker.attempt", task.attempt());
    if (creation.isValid()) {
      builder.setParent(Context.root().with(Span.wrap(creation))).addLink(creation);
    } else {
      builder.setNoParent();
    }
    Span span = builder.startSpan();
    MDC.put(TRACE_ID, span.getSpanContext().getTraceId());
    MDC.put(SPAN_ID, span.getSpanContext().getSpanId());
    try (Scope ignored = span.makeCurrent()) {
      next.run();
    } catch (Exception | Error e) {
      failed(span, e);
      throw e;
    } finally {
      MDC.remove(TRACE_ID);
      MDC.remove(SPAN_ID);
      span.end();
    }
  }

  /// Sets the failure of a span.
  static void failed(Span span, Throwable cause) {
    span.setStatus(StatusCode.ERROR, String.valueOf(cause.getMessage()));
    span.setAttribute("error.type", cause.getClass().getName());
    span.recordException(cause);
  }

  private static final class Headers implements TextMapGetter<Map<String, String>> {
    @Override
    public @Nullable String get(@Nullable Map<String, String> headers, String key) {
      return headers == null ? null : headers.get(key);
    }
  }
}
