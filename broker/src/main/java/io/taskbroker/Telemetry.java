package io.taskbroker;

import io.taskbroker.config.BrokerConfig;
import io.taskbroker.config.Secret;
import io.taskbroker.config.TelemetryConfig;
import io.taskbroker.engine.Mailbox;
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
import io.taskbroker.telemetry.TaskStepFile;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;

/// Operator-facing outputs other than logs: metrics by statsd and Prometheus, health over HTTP,
/// error reports.
final class Telemetry {
  private final Metrics metrics = new Metrics();
  private final GaugeReporter gauges;
  private final Optional<MetricsServer> server;
  private final List<Service> services = new ArrayList<>();

  /// @param steps audit stream of the steps of tasks
  Telemetry(
      BrokerConfig config, Optional<TaskStepFile> steps, Mailbox engine, FailureSink failures) {
    BuildInfo build = BuildInfo.current();
    metrics.build.of(build.version(), build.commit()).set(1);
    TelemetryConfig.Sentry sentry = config.telemetry().sentry();
    TelemetryConfig.Metrics options = config.telemetry().metrics();
    Map<String, LongSupplier> dropped = new HashMap<>();
    dropped.put("log", StandardStreams::dropped);
    steps.ifPresent(file -> {
      services.add(file);
      dropped.put("task_steps", file::dropped);
    });
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
