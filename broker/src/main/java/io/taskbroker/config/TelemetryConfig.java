package io.taskbroker.config;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/// Logs, metrics and error reports.
public record TelemetryConfig(Log log, Metrics metrics, Sentry sentry) {

  /// The log.
  ///
  /// @param filter directives such as `info,librdkafka=warn`
  public record Log(String filter, LogFormat format, boolean asyncBacktrace) {}

  /// How a line of the log looks.
  public enum LogFormat {
    TEXT,
    JSON
  }

  /// Where metrics go.
  ///
  /// @param statsd not looked up yet
  /// @param defaultTags on every metric and every error report
  public record Metrics(
      InetSocketAddress statsd,
      Map<String, String> defaultTags,
      Duration runtimeInterval,
      Endpoint endpoint) {}

  /// Where metrics are served.
  ///
  /// @param address not looked up yet; port 0 for nowhere
  /// @param given whether it is asked for, so that it is an error if it cannot be listened on
  public record Endpoint(InetSocketAddress address, boolean given) {}

  /// Where errors are reported.
  ///
  /// @param dsn empty for no error reports
  public record Sentry(
      Optional<Secret> dsn, Optional<String> environment, Optional<Double> tracesSampleRate) {}

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
        new Sentry(
            values.get(TelemetryKeys.SENTRY_DSN),
            values.get(TelemetryKeys.SENTRY_ENV),
            values.get(TelemetryKeys.TRACES_SAMPLE_RATE)));
  }
}
