package io.taskbroker.client.tracing;

import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanBuilder;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.taskbroker.client.TaskState;
import io.taskbroker.client.spi.TaskTransport;
import io.taskbroker.protocol.v1.AwaitResponse;
import io.taskbroker.protocol.v1.EnqueueResult;
import io.taskbroker.protocol.v1.EnqueueStatus;
import io.taskbroker.protocol.v1.GetResponse;
import io.taskbroker.protocol.v1.NewTask;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// Transport with a span for each call that it enqueues. Thread-safe.
final class TracedTransport implements TaskTransport {
  static final String PARENT = "traceparent";

  private final TaskTransport transport;
  private final TaskTracing tracing;

  TracedTransport(TaskTransport transport, TaskTracing tracing) {
    this.transport = transport;
    this.tracing = tracing;
  }

  @Override
  public CompletableFuture<Enqueued> enqueue(NewTask call, boolean waits) {
    SpanBuilder builder =
        tracing
            .builder("send", "send", call.getTask().getApplication(), SpanKind.CLIENT)
            .setAttribute("taskbroker.task.name", call.getTask().getName())
            .setAttribute("taskbroker.namespace", call.getTask().getNamespace());
    SpanContext creation = TaskTracing.creation(call.getTask().getHeadersMap());
    if (creation.isValid()) {
      builder.addLink(creation);
    }
    Span span = builder.startSpan();
    try {
      return transport
          .enqueue(call, waits)
          .whenComplete((answer, failure) -> ended(span, call, answer, failure));
    } catch (RuntimeException e) {
      TaskTracing.failed(span, e);
      span.end();
      throw e;
    }
  }

  private static void ended(
      Span span, NewTask call, @Nullable Enqueued answer, @Nullable Throwable failure) {
    if (failure != null) {
      TaskTracing.failed(span, failure);
    } else if (answer != null) {
      EnqueueResult result = answer.result();
      String id = result.getId().isEmpty() ? call.getTask().getId() : result.getId();
      span.setAttribute("messaging.message.id", id);
      if (result.getStatus() == EnqueueStatus.ENQUEUE_STATUS_REJECTED) {
        span.setStatus(StatusCode.ERROR, result.getMessage());
        span.setAttribute("error.type", result.getReason().name().toLowerCase(Locale.ROOT));
      }
    }
    span.end();
  }

  @Override
  public GetResponse get(String broker, String id) {
    return transport.get(broker, id);
  }

  @Override
  public AwaitResponse await(String broker, String id, Duration timeout) {
    return transport.await(broker, id, timeout);
  }

  @Override
  public TaskState cancel(String broker, String id) {
    return transport.cancel(broker, id);
  }

  @Override
  public void close() {
    transport.close();
  }
}
