package io.taskbroker.telemetry;

import io.prometheus.metrics.core.metrics.MetricWithFixedMetadata;
import java.util.List;

/// Declaration of one metric.
///
/// @param name name in the reference and in statsd
/// @param exposed name at the Prometheus endpoint
record Declared(
    String name,
    Kind kind,
    String exposed,
    Measure measure,
    List<String> tags,
    String help,
    MetricWithFixedMetadata metric,
    Channel channel) {

  /// Receivers of a metric.
  enum Channel {
    BOTH,
    STATSD,
    PROMETHEUS
  }

  /// Kinds of metrics, with their statsd type letters.
  enum Kind {
    COUNTER('c'),
    GAUGE('g'),
    HISTOGRAM('h');

    final char letter;

    Kind(char letter) {
      this.letter = letter;
    }
  }

  /// Units of measurement.
  enum Measure {
    NUMBER("", "", 1),
    SECONDS("seconds", "s", 1),
    /// Recorded in seconds; the reference sends milliseconds.
    MILLIS("seconds", "ms", 1_000),
    BYTES("bytes", "bytes", 1),
    RATIO("ratio", "0 to 1", 1);

    /// Suffix of the Prometheus name.
    final String suffix;

    /// Unit in statsd.
    final String statsdUnit;

    /// Factor from the recorded value to the statsd value.
    final double statsdScale;

    Measure(String suffix, String statsdUnit, double statsdScale) {
      this.suffix = suffix;
      this.statsdUnit = statsdUnit;
      this.statsdScale = statsdScale;
    }
  }
}
