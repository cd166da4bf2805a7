package io.taskbroker;

import io.taskbroker.config.BrokerConfig;
import io.taskbroker.config.Secret;
import io.taskbroker.config.TelemetryConfig;
import io.taskbroker.engine.Mailbox;
import io.taskbroker.engine.TaskTraces;
import io.taskbroker.runtime.BuildInfo;
import io.taskbroker.runtime.FailureSink;
import io.taskbroker.runtime.HealthReport;
import io.taskbroker.runtime.Service;
import io.taskbroker.telemetry.ErrorReports;
import io.taskbroker.telemetry.Metrics;
import io.taskbroker.telemetry.MetricsServer;
import io.taskbroker.telemetry.RuntimeGauges;
import io.taskbroker.telemetry.StandardStreams;
import io.taskbroker.telemetry.StatsdReporter;
import io.taskbroker.tracing.TraceOptions;
import io.taskbroker.tracing.Tracing;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// Operator-facing outputs other than logs: metrics by statsd and Prometheus, health over HTTP,
/// error reports, traces.
final class Telemetry {
  private final Metrics metrics;
  private final GaugeReporter gauges;
  private final Optional<MetricsServer> server;
  private final Optional<Tracing> tracing;
  private final List<Service> services = new ArrayList<>();

  /// @param steps audit stream of the steps of tasks
  Telemetry(BrokerConfig config, TaskSteps steps, Mailbox engine, FailureSink failures) {
    tracing =
        Tracing.open(
            new TraceOptions(
                config.telemetry().traces().endpoint(),
                config.telemetry().traces().sampleRate().orElse(0.0)),
            System.getenv());
    metrics = new Metrics(tracing.isPresent());
    BuildInfo build = BuildInfo.current();
    metrics.build.of(build.version(), build.commit()).set(1);
    TelemetryConfig.Sentry sentry = config.telemetry().sentry();
    TelemetryConfig.Metrics options = config.telemetry().metrics();
    Map<String, LongSupplier> dropped = new HashMap<>();
    dropped.put("log", StandardStreams::dropped);
    steps.register(services, dropped);
    sentry
        .dsn()
        .map(Secret::reveal)
        .filter(dsn -> !dsn.isBlank())
        .ifPresent(dsn -> {
          ErrorReports reports =
              ErrorReports.open(dsn, sentry.environment(), options.defaultTags());
          services.add(reports);
          dropped.put("sentry", reports::dropped);
        });
    tracing.ifPresent(it -> {
      services.add(it);
      dropped.put("traces", it::dropped);
    });
    var statsd = new StatsdReporter(metrics, options.statsd(), options.defaultTags(), failures);
    services.add(statsd);
    dropped.put("statsd", statsd::dropped);
    InetSocketAddress address = options.endpoint().address();
    server =
        address.getPort() == 0
            ? Optional.empty()
            : Optional.of(new MetricsServer(metrics, address, options.endpoint().given()));
    server.ifPresent(services::add);
    services.add(new RuntimeGauges(metrics, dropped, options.runtimeInterval(), failures));
    gauges = new GaugeReporter(config, metrics, engine, failures);
    services.add(gauges);
  }

  Metrics metrics() {
    return metrics;
  }

  /// Null if tasks are not traced.
  @Nullable TaskTraces traces() {
    return tracing.map(Tracing::tracer).orElse(null);
  }

  /// Services to start first and stop last.
  List<Service> services() {
    return services;
  }

  void setHealth(HealthReport report) {
    server.ifPresent(it -> it.setHealth(report));
  }

  void setReady(boolean ready) {
    gauges.setReady(ready);
  }
}
