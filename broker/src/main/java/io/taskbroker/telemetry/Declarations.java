package io.taskbroker.telemetry;

import io.prometheus.metrics.core.datapoints.CounterDataPoint;
import io.prometheus.metrics.core.datapoints.DistributionDataPoint;
import io.prometheus.metrics.core.datapoints.GaugeDataPoint;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.Gauge;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.core.metrics.MetricWithFixedMetadata;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.taskbroker.telemetry.Declared.Channel;
import io.taskbroker.telemetry.Declared.Kind;
import io.taskbroker.telemetry.Declared.Measure;
import java.util.ArrayList;
import java.util.List;

/// Registry of metrics, filled while [Metrics] declares them. The Prometheus name is the
/// reference's name with underscores, the unit as suffix, and `_total` for counters. Not
/// thread-safe; the metrics it creates are.
final class Declarations {
  static final String PREFIX = "taskbroker_";

  /// Maximum number of tag combinations of a metric (W46).
  static final int MAX_COUNTERS = 1_000;

  static final int MAX_HISTOGRAMS = 250;

  /// 2^(1/8): buckets 9 % wide, for statsd; the buckets of the Prometheus endpoint are coarser.
  private static final int SCHEMA = 3;

  private static final double[] SECONDS = {
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 600
  };
  private static final double[] BYTES = {
    64, 256, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20, 16 << 20
  };
  private static final double[] NUMBERS = {
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000
  };

  final PrometheusRegistry registry = new PrometheusRegistry();
  final List<Declared> all = new ArrayList<>();
  private final boolean exemplars;
  private Channel channel = Channel.BOTH;

  /// @param exemplars whether histograms of traced tasks keep exemplars
  Declarations(boolean exemplars) {
    this.exemplars = exemplars;
  }

  CounterDataPoint counter(String name, String help) {
    return addCounter(name, help, List.of());
  }

  Labelled<CounterDataPoint> counters(String name, String help, String... tags) {
    return new Labelled<>(addCounter(name, help, List.of(tags)), tags.length, MAX_COUNTERS);
  }

  GaugeDataPoint gauge(String name, Measure measure, String help) {
    return addGauge(name, measure, help, List.of());
  }

  Labelled<GaugeDataPoint> gauges(String name, Measure measure, String help, String... tags) {
    return new Labelled<>(addGauge(name, measure, help, List.of(tags)), tags.length, MAX_COUNTERS);
  }

  DistributionDataPoint histogram(String name, Measure measure, String help) {
    return addHistogram(name, measure, help, List.of(), false);
  }

  Labelled<DistributionDataPoint> histograms(
      String name, Measure measure, String help, String... tags) {
    return new Labelled<>(
        addHistogram(name, measure, help, List.of(tags), false), tags.length, MAX_HISTOGRAMS);
  }

  /// Histograms whose observations may carry the trace of a task.
  Labelled<DistributionDataPoint> tracedHistograms(
      String name, Measure measure, String help, String... tags) {
    return new Labelled<>(
        addHistogram(name, measure, help, List.of(tags), exemplars), tags.length, MAX_HISTOGRAMS);
  }

  /// Sets the receiver of the metrics declared from now on. Used where the tags of a reference
  /// metric carry less than Prometheus can show.
  void restrictTo(Channel receiver) {
    channel = receiver;
  }

  private Counter addCounter(String name, String help, List<String> tags) {
    String exposed = exposed(name, Measure.NUMBER);
    Counter counter =
        Counter.builder()
            .name(exposed)
            .help(help)
            .labelNames(tags.toArray(String[]::new))
            .withoutExemplars()
            .register(registryOfChannel());
    add(name, Kind.COUNTER, exposed + "_total", Measure.NUMBER, tags, help, counter);
    return counter;
  }

  private Gauge addGauge(String name, Measure measure, String help, List<String> tags) {
    String exposed = exposed(name, measure);
    Gauge gauge =
        Gauge.builder()
            .name(exposed)
            .help(help)
            .labelNames(tags.toArray(String[]::new))
            .withoutExemplars()
            .register(registryOfChannel());
    add(name, Kind.GAUGE, exposed, measure, tags, help, gauge);
    return gauge;
  }

  private Histogram addHistogram(
      String name, Measure measure, String help, List<String> tags, boolean traced) {
    String exposed = exposed(name, measure);
    Histogram.Builder builder =
        Histogram.builder()
            .classicUpperBounds(bounds(measure))
            .nativeInitialSchema(SCHEMA)
            .nativeMaxNumberOfBuckets(0);
    Histogram histogram =
        (traced ? builder.withExemplars() : builder.withoutExemplars())
            .name(exposed)
            .help(help)
            .labelNames(tags.toArray(String[]::new))
            .register(registryOfChannel());
    add(name, Kind.HISTOGRAM, exposed, measure, tags, help, histogram);
    return histogram;
  }

  private PrometheusRegistry registryOfChannel() {
    return channel == Channel.STATSD ? new PrometheusRegistry() : registry;
  }

  private void add(
      String name,
      Kind kind,
      String exposed,
      Measure measure,
      List<String> tags,
      String help,
      MetricWithFixedMetadata metric) {
    all.add(new Declared(name, kind, exposed, measure, tags, help, metric, channel));
  }

  private static double[] bounds(Measure measure) {
    return switch (measure) {
      case SECONDS, MILLIS -> SECONDS;
      case BYTES -> BYTES;
      case NUMBER, RATIO -> NUMBERS;
    };
  }

  /// Converts the reference's name to Prometheus conventions.
  private static String exposed(String name, Measure measure) {
    String words = name.replace('.', '_').replaceAll("_(count|sec|total)$", "");
    String unit = measure.suffix;
    boolean hasUnit = unit.isEmpty() || words.endsWith("_" + unit);
    return PREFIX + (hasUnit ? words : words + "_" + unit);
  }
}
