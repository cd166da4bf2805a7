package io.taskbroker.config;

import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/// Logs, metrics, error reports and traces.
public record TelemetryConfig(Log log, Metrics metrics, Sentry sentry, Traces traces) {

  /// Log settings.
  ///
  /// @param filter directives such as `info,librdkafka=warn`
  public record Log(String filter, LogFormat format, boolean asyncBacktrace) {}

  /// Format of log lines.
  public enum LogFormat {
    TEXT,
    JSON,
    ECS
  }

  /// Metrics outputs.
  ///
  /// @param statsd unresolved address
  /// @param defaultTags tags of every metric and error report
  public record Metrics(
      InetSocketAddress statsd,
      Map<String, String> defaultTags,
      Duration runtimeInterval,
      Endpoint endpoint) {}

  /// Prometheus endpoint.
  ///
  /// @param address unresolved address; port 0 disables the endpoint
  /// @param given whether it is configured explicitly, so that a bind failure is an error
  public record Endpoint(InetSocketAddress address, boolean given) {}

  /// Error reports.
  ///
  /// @param dsn empty for no error reports
  public record Sentry(Optional<Secret> dsn, Optional<String> environment) {}

  /// Traces.
  ///
  /// @param endpoint receiver of OTLP; empty if only the environment may name one
  /// @param sampleRate share of the tasks without a decision of their publisher that are traced
  public record Traces(Optional<URI> endpoint, Optional<Double> sampleRate) {}

  static TelemetryConfig read(Values values) {
    return new TelemetryConfig(
        new Log(
            values.get(TelemetryKeys.LOG_FILTER),
            values.get(TelemetryKeys.LOG_FORMAT),
            values.get(TelemetryKeys.LOG_ASYNC_BACKTRACE)),
        new Metrics(
            values.get(TelemetryKeys.STATSD_ADDR),
            values.get(TelemetryKeys.DEFAULT_METRICS_TAGS),
            values.get(TelemetryKeys.RUNTIME_METRICS_INTERVAL),
            new Endpoint(
                values.get(TelemetryKeys.METRICS_ADDR), values.has(TelemetryKeys.METRICS_ADDR))),
        new Sentry(values.get(TelemetryKeys.SENTRY_DSN), values.get(TelemetryKeys.SENTRY_ENV)),
        new Traces(
            values.get(TelemetryKeys.OTLP_ENDPOINT), values.get(TelemetryKeys.TRACES_SAMPLE_RATE)));
  }
}
