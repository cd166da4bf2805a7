package io.taskbroker.tracing;

import static java.util.concurrent.TimeUnit.MILLISECONDS;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.AttributesBuilder;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanBuilder;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanId;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.TraceFlags;
import io.opentelemetry.api.trace.TraceId;
import io.opentelemetry.api.trace.TraceState;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.TextMapGetter;
import io.opentelemetry.sdk.trace.samplers.Sampler;
import io.opentelemetry.sdk.trace.samplers.SamplingDecision;
import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Ids;
import io.taskbroker.activation.TaskIdentity;
import io.taskbroker.activation.TraceContext;
import io.taskbroker.engine.TaskTraces;
import io.taskbroker.inflight.api.TaskSpan;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Turns ended steps of tasks into spans, by OpenTelemetry's conventions for messaging. Confined to
/// the engine's thread; never waits.
///
/// The stay of a task in flight is a span whose parent is the span of its publisher; the other
/// steps are its children. Its id follows from the task and the time at which it was stored, so
/// that no memory holds it, and a broker that takes over the row continues the same span. A task
/// without a trace context starts a trace whose id follows from the id of its first attempt, so
/// that its retries share it, whichever brokers have them.
final class TaskTracer implements TaskTraces {
  private static final AttributeKey<String> SYSTEM = AttributeKey.stringKey("messaging.system");
  private static final AttributeKey<String> OPERATION =
      AttributeKey.stringKey("messaging.operation.name");
  private static final AttributeKey<String> OPERATION_TYPE =
      AttributeKey.stringKey("messaging.operation.type");
  private static final AttributeKey<String> DESTINATION =
      AttributeKey.stringKey("messaging.destination.name");
  private static final AttributeKey<String> PARTITION =
      AttributeKey.stringKey("messaging.destination.partition.id");
  private static final AttributeKey<Long> OFFSET = AttributeKey.longKey("messaging.kafka.offset");
  private static final AttributeKey<String> MESSAGE =
      AttributeKey.stringKey("messaging.message.id");
  private static final AttributeKey<String> CONVERSATION =
      AttributeKey.stringKey("messaging.message.conversation_id");
  private static final AttributeKey<String> ERROR = AttributeKey.stringKey("error.type");
  private static final AttributeKey<String> TASK = AttributeKey.stringKey("taskbroker.task.name");
  private static final AttributeKey<String> NAMESPACE =
      AttributeKey.stringKey("taskbroker.namespace");
  private static final AttributeKey<Long> ATTEMPT = AttributeKey.longKey("taskbroker.attempt");
  private static final AttributeKey<Long> DELIVERY = AttributeKey.longKey("taskbroker.delivery");
  private static final AttributeKey<String> WORKER = AttributeKey.stringKey("taskbroker.worker");
  private static final AttributeKey<String> OUTCOME = AttributeKey.stringKey("taskbroker.outcome");

  private static final String KAFKA = "kafka";
  private static final String BROKER = "taskbroker";

  private final Tracer tracer;
  private final Sampler sampler;
  private final SpanIds ids;

  /// @param ids the generator of the tracer's ids
  TaskTracer(Tracer tracer, Sampler sampler, SpanIds ids) {
    this.tracer = tracer;
    this.sampler = sampler;
    this.ids = ids;
  }

  @Override
  public void ended(TaskSpan step) {
    Activation activation = step.activation();
    if (activation.payload().length == 0) {
      return; // of a row that is not in memory: no more is known than its id
    }
    TaskIdentity task = TaskIdentity.of(activation);
    Trace trace = Trace.of(task);
    if (!trace.isSampled(sampler)) {
      return;
    }
    String inFlight = inFlightId(task, step.storedAt());
    Kind kind = Kind.of(step);
    SpanBuilder span =
        tracer
            .spanBuilder(
                kind.operation + (kind.destination.isEmpty() ? "" : " " + kind.destination))
            .setSpanKind(kind.kind)
            .setStartTimestamp(step.from(), MILLISECONDS)
            .setAllAttributes(attributes(step, task, kind));
    boolean isInFlight = step.step() == TaskSpan.Step.IN_FLIGHT;
    SpanContext parent =
        isInFlight || step.storedAt() == 0 ? trace.publisher : trace.local(inFlight);
    if (parent == null) {
      span.setNoParent();
    } else {
      span.setParent(Context.root().with(Span.wrap(parent)));
    }
    if (trace.publisher != null && !isInFlight) {
      span.addLink(trace.publisher);
    }
    ids.next(trace.id, isInFlight ? inFlight : "");
    Span made = span.startSpan();
    ids.clear();
    if (step.failed()) {
      made.setStatus(StatusCode.ERROR, step.detail());
    }
    made.end(Math.max(step.from(), step.to()), MILLISECONDS);
  }

  @Override
  public @Nullable String sampledTrace(Activation activation) {
    Trace trace = Trace.of(TaskIdentity.of(activation));
    return trace.isSampled(sampler) ? trace.id : null;
  }

  private static Attributes attributes(TaskSpan step, TaskIdentity task, Kind kind) {
    AttributesBuilder attributes =
        Attributes.builder()
            .put(SYSTEM, kind.system)
            .put(OPERATION, kind.operation)
            .put(OPERATION_TYPE, kind.type)
            .put(MESSAGE, task.id())
            .put(CONVERSATION, task.firstId())
            .put(TASK, task.taskname())
            .put(NAMESPACE, task.namespace())
            .put(ATTEMPT, task.attempt())
            .put(OUTCOME, step.outcome());
    if (!kind.destination.isEmpty()) {
      attributes.put(DESTINATION, kind.destination);
    }
    if (step.step() == TaskSpan.Step.STORE && kind.system.equals(KAFKA)) {
      attributes.put(PARTITION, Integer.toString(step.activation().origin().partition()));
      attributes.put(OFFSET, step.activation().origin().offset());
    }
    if (step.delivery() > 0) {
      attributes.put(DELIVERY, (long) step.delivery());
    }
    if (step.step() == TaskSpan.Step.DELIVERY && !step.target().isEmpty()) {
      attributes.put(WORKER, step.target());
    }
    if (step.failed()) {
      attributes.put(ERROR, step.outcome());
    }
    return attributes.build();
  }

  /// Id of the span of one stay in flight.
  private static String inFlightId(TaskIdentity task, long storedAt) {
    long id = Ids.fingerprint(task.id() + "\n" + task.attempt() + "\n" + storedAt).high();
    return SpanId.fromLong(id == 0 ? 1 : id);
  }

  /// Name of a step's span, by the conventions.
  ///
  /// @param type empty if the conventions name none
  private record Kind(
      String system, String operation, @Nullable String type, String destination, SpanKind kind) {
    static Kind of(TaskSpan step) {
      Activation task = step.activation();
      String application = task.application();
      return switch (step.step()) {
        case STORE ->
            task.origin().partition() < 0
                ? new Kind(BROKER, "enqueue", null, application, SpanKind.SERVER)
                : new Kind(KAFKA, "receive", "receive", task.origin().topic(), SpanKind.CLIENT);
        case IN_FLIGHT -> new Kind(BROKER, "in-flight", null, application, SpanKind.INTERNAL);
        case DELIVERY -> new Kind(BROKER, "deliver", "send", application, SpanKind.CLIENT);
        case REPORT -> new Kind(BROKER, "report", "settle", application, SpanKind.SERVER);
        case FORWARD -> new Kind(KAFKA, "send", "send", step.target(), SpanKind.CLIENT);
      };
    }
  }

  /// Trace of a task.
  ///
  /// @param publisher span of its publisher; null if the trace begins here
  /// @param decided whether the publisher decided if it is sampled
  private record Trace(String id, @Nullable SpanContext publisher, boolean decided) {
    private static final TextMapGetter<TraceContext> HEADERS = new Headers();

    static Trace of(TaskIdentity task) {
      TraceContext named = task.trace();
      if (named == null) {
        Ids.Fingerprint first = Ids.fingerprint(task.firstId());
        return new Trace(TraceId.fromLongs(first.high(), first.low() | 1), null, false);
      }
      Context publisher =
          W3CTraceContextPropagator.getInstance().extract(Context.root(), named, HEADERS);
      return new Trace(
          named.traceId(),
          Span.fromContext(publisher).getSpanContext(),
          named.sampling() != TraceContext.Sampling.OPEN);
    }

    boolean isSampled(Sampler sampler) {
      Context parent =
          decided && publisher != null ? Context.root().with(Span.wrap(publisher)) : Context.root();
      return sampler
              .shouldSample(parent, id, "task", SpanKind.INTERNAL, Attributes.empty(), List.of())
              .getDecision()
          == SamplingDecision.RECORD_AND_SAMPLE;
    }

    /// A span of this broker as a parent.
    SpanContext local(String spanId) {
      TraceState state = publisher == null ? TraceState.getDefault() : publisher.getTraceState();
      return SpanContext.create(id, spanId, TraceFlags.getSampled(), state);
    }
  }

  /// The headers of a trace context, for the library that parses them.
  private static final class Headers implements TextMapGetter<TraceContext> {
    @Override
    public @Nullable String get(@Nullable TraceContext context, String key) {
      if (context == null) {
        return null;
      }
      return switch (key) {
        case TraceContext.PARENT_HEADER -> context.parent();
        case TraceContext.STATE_HEADER -> context.state();
        default -> null;
      };
    }
  }
}
