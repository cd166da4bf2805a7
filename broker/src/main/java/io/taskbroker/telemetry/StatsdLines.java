package io.taskbroker.telemetry;

import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot.HistogramDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Label;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.NativeHistogramBucket;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;

/// Encoder of the increments since the last call, as DogStatsD lines: one line per counter or gauge
/// and at most [#MAX_BUCKETS] per histogram, each for the values of one bucket, whatever the number
/// of events (W46). Not thread-safe.
final class StatsdLines {
  static final int MAX_BUCKETS = 32;
  private static final String PREFIX = "taskbroker.";
  private static final MathContext VALUE_DIGITS = new MathContext(6);
  private static final MathContext RATE_DIGITS = new MathContext(12);

  private final List<Declared> metrics;
  private final String defaultTags;
  private final Map<Declared, Map<Labels, Reported>> reported = new HashMap<>();

  /// Values of a data point as last reported.
  private static final class Reported {
    private double count;
    private long zeros;
    private final Map<Integer, Long> buckets = new HashMap<>();
  }

  /// A number of values near one value.
  private record Cluster(double value, long count) {}

  /// @param defaultTags added to every line
  StatsdLines(Metrics metrics, Map<String, String> defaultTags) {
    this.metrics =
        metrics.declared().stream()
            .filter(metric -> metric.channel() != Declared.Channel.PROMETHEUS)
            .toList();
    var tags = new ArrayList<String>();
    new TreeMap<>(defaultTags).forEach((name, value) -> tags.add(tag(name, Labelled.clean(value))));
    this.defaultTags = String.join(",", tags);
  }

  /// Writes everything that changed, and all gauges.
  void write(Consumer<String> line) {
    for (Declared metric : metrics) {
      switch (metric.metric().collect()) {
        case CounterSnapshot counters ->
            counters
                .getDataPoints()
                .forEach(point -> count(metric, point.getLabels(), point.getValue(), line));
        case GaugeSnapshot gauges ->
            gauges
                .getDataPoints()
                .forEach(
                    point -> line.accept(line(metric, point.getLabels(), point.getValue(), 1)));
        case HistogramSnapshot histograms ->
            histograms.getDataPoints().forEach(point -> spread(metric, point, line));
        case Object other ->
            throw new IllegalStateException(metric.name() + " has an unknown kind: " + other);
      }
    }
  }

  private Reported reported(Declared metric, Labels labels) {
    return reported
        .computeIfAbsent(metric, _ -> new HashMap<>())
        .computeIfAbsent(labels, _ -> new Reported());
  }

  private void count(Declared metric, Labels labels, double total, Consumer<String> line) {
    Reported before = reported(metric, labels);
    if (total != before.count) {
      line.accept(line(metric, labels, total - before.count, 1));
      before.count = total;
    }
  }

  private void spread(Declared metric, HistogramDataPointSnapshot point, Consumer<String> line) {
    Reported before = reported(metric, point.getLabels());
    if (point.getCount() == before.count) {
      return;
    }
    before.count = point.getCount();
    var fresh = new ArrayList<Cluster>();
    if (point.getNativeZeroCount() > before.zeros) {
      fresh.add(new Cluster(0, point.getNativeZeroCount() - before.zeros));
      before.zeros = point.getNativeZeroCount();
    }
    double growth = Math.pow(2, Math.pow(2, -point.getNativeSchema()));
    for (NativeHistogramBucket bucket : point.getNativeBucketsForPositiveValues()) {
      Long known = before.buckets.put(bucket.getBucketIndex(), bucket.getCount());
      long more = bucket.getCount() - (known == null ? 0 : known);
      if (more > 0) {
        fresh.add(new Cluster(Math.pow(growth, bucket.getBucketIndex() - 0.5), more));
      }
    }
    for (Cluster cluster : merge(fresh)) {
      line.accept(line(metric, point.getLabels(), cluster.value, cluster.count));
    }
  }

  /// Merges neighbouring buckets until there are at most [#MAX_BUCKETS].
  private static List<Cluster> merge(List<Cluster> clusters) {
    if (clusters.size() <= MAX_BUCKETS) {
      return clusters;
    }
    int step = Math.ceilDiv(clusters.size(), MAX_BUCKETS);
    var joined = new ArrayList<Cluster>();
    for (int from = 0; from < clusters.size(); from += step) {
      List<Cluster> part = clusters.subList(from, Math.min(from + step, clusters.size()));
      long count = part.stream().mapToLong(Cluster::count).sum();
      double sum = part.stream().mapToDouble(each -> each.value * each.count).sum();
      joined.add(new Cluster(sum / count, count));
    }
    return joined;
  }

  /// @param times number of equal values that the line stands for
  private String line(Declared metric, Labels labels, double value, long times) {
    var line = new StringBuilder(160).append(PREFIX).append(metric.name()).append(':');
    number(line, value * metric.measure().statsdScale, VALUE_DIGITS);
    line.append('|').append(metric.kind().letter);
    if (times > 1) {
      number(line.append("|@"), 1.0 / times, RATE_DIGITS);
    }
    String separator = "|#";
    for (Label label : labels) {
      line.append(separator).append(tag(label.getName(), label.getValue()));
      separator = ",";
    }
    if (!defaultTags.isEmpty()) {
      line.append(separator).append(defaultTags);
    }
    return line.toString();
  }

  private static String tag(String name, String value) {
    return name + ":" + value;
  }

  /// Appends a number; values beyond the range of a double are clamped.
  private static void number(StringBuilder line, double any, MathContext digits) {
    double value = Double.isNaN(any) ? 0 : Math.clamp(any, -Double.MAX_VALUE, Double.MAX_VALUE);
    long whole = (long) value;
    if (whole == value) {
      line.append(whole);
    } else {
      line.append(new BigDecimal(value).round(digits).stripTrailingZeros().toPlainString());
    }
  }
}
