package io.taskbroker.tracing;

import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.autoconfigure.AutoConfiguredOpenTelemetrySdk;
import io.opentelemetry.sdk.autoconfigure.spi.ConfigurationException;
import io.opentelemetry.sdk.trace.samplers.Sampler;
import io.taskbroker.engine.TaskTraces;
import io.taskbroker.runtime.BuildInfo;
import io.taskbroker.runtime.Service;
import java.net.URI;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

/// Traces of tasks: spans by [#tracer], sent over OTLP in batches by threads of the library, behind
/// a bounded queue. Nobody waits for the receiver; spans that it does not take are dropped and
/// counted. Thread-safe, except for the tracer.
public final class Tracing implements Service {
  private static final long STOP_MILLIS = 1_000;
  private static final int DEFAULT_CAPACITY = 2_048;

  private final OpenTelemetrySdk sdk;
  private final TaskTracer tracer;
  private final SpanBound bound;

  private Tracing(OpenTelemetrySdk sdk, TaskTracer tracer, SpanBound bound) {
    this.sdk = sdk;
    this.tracer = tracer;
    this.bound = bound;
  }

  /// Starts tracing if the options or the environment name a receiver; otherwise loads nothing.
  ///
  /// @param environment of the process; the library reads it itself
  /// @throws IllegalArgumentException if an `OTEL_` variable is invalid
  public static Optional<Tracing> open(TraceOptions options, Map<String, String> environment) {
    boolean wanted =
        options.endpoint().isPresent()
            || environment.containsKey("OTEL_EXPORTER_OTLP_ENDPOINT")
            || environment.containsKey("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
    boolean off =
        "true".equalsIgnoreCase(environment.get("OTEL_SDK_DISABLED"))
            || "none".equals(environment.get("OTEL_TRACES_EXPORTER"));
    return wanted && !off ? Optional.of(open(options)) : Optional.empty();
  }

  private static Tracing open(TraceOptions options) {
    var bound = new SpanBound();
    var ids = new SpanIds();
    var sampler = new AtomicReference<Sampler>(Sampler.alwaysOff());
    try {
      OpenTelemetrySdk sdk =
          AutoConfiguredOpenTelemetrySdk.builder()
              .disableShutdownHook()
              .addPropertiesSupplier(() -> defaults(options))
              .addPropertiesCustomizer(
                  _ -> Map.of("otel.metrics.exporter", "none", "otel.logs.exporter", "none"))
              .addSamplerCustomizer((configured, _) -> {
                sampler.set(configured);
                return Sampler.alwaysOn(); // the tracer decides before it makes a span
              })
              .addSpanExporterCustomizer((exporter, _) -> bound.around(exporter))
              .addSpanProcessorCustomizer((queue, properties) ->
                  bound.before(
                      queue, properties.getInt("otel.bsp.max.queue.size", DEFAULT_CAPACITY)))
              .addTracerProviderCustomizer((provider, _) -> provider.setIdGenerator(ids))
              .build()
              .getOpenTelemetrySdk();
      var tracer =
          new TaskTracer(
              sdk.getTracer("io.taskbroker", BuildInfo.current().version()),
              Objects.requireNonNull(sampler.get()),
              ids);
      return new Tracing(sdk, tracer, bound);
    } catch (ConfigurationException | IllegalStateException e) {
      throw new IllegalArgumentException(
          "Cannot trace as the OTEL_ variables and otlp_endpoint say: " + e.getMessage(), e);
    }
  }

  /// Values of the library's properties where the environment gives none.
  private static Map<String, String> defaults(TraceOptions options) {
    var defaults = new HashMap<String, String>();
    defaults.put("otel.service.name", "taskbroker");
    defaults.put("otel.resource.attributes", "service.version=" + BuildInfo.current().version());
    defaults.put("otel.traces.exporter", "otlp");
    defaults.put("otel.exporter.otlp.protocol", "http/protobuf");
    options
        .endpoint()
        .map(URI::toString)
        .ifPresent(url -> defaults.put("otel.exporter.otlp.endpoint", url));
    defaults.put("otel.bsp.schedule.delay", "1000"); // milliseconds
    defaults.put("otel.traces.sampler", "parentbased_traceidratio");
    double rate = Math.clamp(options.sampleRate(), 0.0, 1.0);
    defaults.put("otel.traces.sampler.arg", Double.toString(rate));
    return defaults;
  }

  /// For the engine's thread alone.
  public TaskTraces tracer() {
    return tracer;
  }

  /// Spans that did not reach the receiver.
  public long dropped() {
    return bound.dropped();
  }

  @Override
  public String name() {
    return "traces";
  }

  @Override
  public void start() {}

  /// Sends the remaining spans, within a second.
  @Override
  public void stop() {
    sdk.shutdown().join(STOP_MILLIS, TimeUnit.MILLISECONDS);
  }
}
