package io.taskbroker.config;

import static io.taskbroker.config.AddressTypes.hostAndPort;
import static io.taskbroker.config.AddressTypes.url;
import static io.taskbroker.config.DurationTypes.durationNotZero;
import static io.taskbroker.config.KeyType.bool;
import static io.taskbroker.config.KeyType.map;
import static io.taskbroker.config.KeyType.number;
import static io.taskbroker.config.KeyType.oneOf;
import static io.taskbroker.config.KeyType.optional;
import static io.taskbroker.config.KeyType.secretText;
import static io.taskbroker.config.KeyType.text;

import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/// Configuration keys: logs, metrics, traces and error reports.
final class TelemetryKeys {
  static final KeyTable<BrokerConfig> TABLE =
      new KeyTable<>("Telemetry", "Logs, metrics, traces and error reports");

  static final Key<BrokerConfig, String> LOG_FILTER =
      TABLE.key(
          "log_filter",
          text(),
          "info,librdkafka=warn,h2=off",
          KeyDoc.noted(
              "Log levels, as level or target=level, separated by commas",
              "targets of the reference's libraries are mapped to those of this broker"),
          c -> c.telemetry().log().filter());

  static final Key<BrokerConfig, TelemetryConfig.LogFormat> LOG_FORMAT =
      TABLE.key(
          "log_format",
          oneOf(TelemetryConfig.LogFormat.class),
          TelemetryConfig.LogFormat.TEXT,
          "Format of log lines: text, JSON, or JSON in the Elastic Common Schema",
          c -> c.telemetry().log().format());

  static final Key<BrokerConfig, Boolean> LOG_ASYNC_BACKTRACE =
      TABLE.key(
          "log_async_backtrace",
          bool(),
          false,
          KeyDoc.unused(
              "Whether to log periodically the state of all runtime tasks",
              "`jcmd PID Thread.print` shows what the threads do"),
          c -> c.telemetry().log().asyncBacktrace());

  static final Key<BrokerConfig, InetSocketAddress> STATSD_ADDR =
      TABLE.key(
          "statsd_addr",
          hostAndPort(),
          InetSocketAddress.createUnresolved("127.0.0.1", 8126),
          "Address of the statsd server",
          c -> c.telemetry().metrics().statsd());

  static final Key<BrokerConfig, InetSocketAddress> METRICS_ADDR =
      TABLE.key(
          "metrics_addr",
          hostAndPort(),
          InetSocketAddress.createUnresolved("127.0.0.1", 9464),
          "Listen address of Prometheus metrics and health; port 0 disables them",
          c -> c.telemetry().metrics().endpoint().address());

  static final Key<BrokerConfig, Map<String, String>> DEFAULT_METRICS_TAGS =
      TABLE.key(
          "default_metrics_tags",
          map(text()),
          Map.of(),
          "Tags of every metric and error report",
          c -> c.telemetry().metrics().defaultTags());

  static final Key<BrokerConfig, Duration> RUNTIME_METRICS_INTERVAL =
      TABLE.key(
          "runtime_metrics_interval",
          durationNotZero(),
          Duration.ofSeconds(1),
          "Interval of process measurements",
          c -> c.telemetry().metrics().runtimeInterval());

  static final Key<BrokerConfig, Optional<Secret>> SENTRY_DSN =
      TABLE.key(
          "sentry_dsn",
          optional(secretText()),
          Optional.empty(),
          "DSN for error reports",
          c -> c.telemetry().sentry().dsn());

  static final Key<BrokerConfig, Optional<String>> SENTRY_ENV =
      TABLE.key(
          "sentry_env",
          optional(text()),
          Optional.empty(),
          "Environment name in error reports",
          c -> c.telemetry().sentry().environment());

  static final Key<BrokerConfig, Optional<Double>> TRACES_SAMPLE_RATE =
      TABLE.key(
          "traces_sample_rate",
          optional(number()),
          Optional.of(0.0),
          KeyDoc.noted(
              "Share of the tasks without a sampling decision of their publisher that are traced,"
                  + " 0 to 1",
              "without effect unless `otlp_endpoint` is set: spans go to OpenTelemetry, none to"
                  + " Sentry"),
          c -> c.telemetry().traces().sampleRate());

  static final Key<BrokerConfig, Optional<URI>> OTLP_ENDPOINT =
      TABLE.key(
          "otlp_endpoint",
          optional(url()),
          Optional.empty(),
          "Receiver of traces (OTLP, over HTTP unless OTEL_EXPORTER_OTLP_PROTOCOL is grpc), such as"
              + " http://127.0.0.1:4318; nothing is traced"
              + " without it",
          c -> c.telemetry().traces().endpoint());

  private TelemetryKeys() {}
}
