package io.taskbroker.telemetry;

import io.prometheus.metrics.core.metrics.MetricWithFixedMetadata;
import java.util.List;

/// One metric as it was declared.
///
/// @param name what the reference calls it, and statsd after it
/// @param exposed the name at the Prometheus endpoint
record Declared(
    String name,
    Kind kind,
    String exposed,
    Measure measure,
    List<String> tags,
    String help,
    MetricWithFixedMetadata metric,
    Channel channel) {

  /// Who is told of a metric.
  enum Channel {
    BOTH,
    STATSD,
    PROMETHEUS
  }

  /// The kinds of metrics, with their letters of statsd.
  enum Kind {
    COUNTER('c'),
    GAUGE('g'),
    HISTOGRAM('h');

    final char letter;

    Kind(char letter) {
      this.letter = letter;
    }
  }

  /// What is measured.
  enum Measure {
    NUMBER("", "", 1),
    SECONDS("seconds", "s", 1),
    /// Seconds, which the reference sends as milliseconds.
    MILLIS("seconds", "ms", 1_000),
    BYTES("bytes", "bytes", 1),
    RATIO("ratio", "0 to 1", 1);

    /// As the name ends.
    final String suffix;

    /// The unit of statsd.
    final String statsdUnit;

    /// By which values are multiplied for statsd.
    final double statsdScale;

    Measure(String suffix, String statsdUnit, double statsdScale) {
      this.suffix = suffix;
      this.statsdUnit = statsdUnit;
      this.statsdScale = statsdScale;
    }
  }
}
