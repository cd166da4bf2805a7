package io.taskbroker.telemetry;

import io.prometheus.metrics.core.datapoints.DataPoint;
import io.prometheus.metrics.core.metrics.StatefulMetric;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.jspecify.annotations.Nullable;

/// Metric with tags, with sanitized and bounded tag values: combinations beyond the bound are
/// counted under `other` (W46). Thread-safe; callers may keep a data point they looked up.
///
/// @param <D> type of the data points
public final class Labelled<D extends DataPoint> {
  /// Value of every tag beyond the bound.
  static final String OTHER = "other";

  private static final int LONGEST_VALUE = 100;

  private final StatefulMetric<D, ?> metric;
  private final int bound;
  private final String[] other;
  private final ConcurrentMap<Object, D> points = new ConcurrentHashMap<>();

  /// Most recent lookup: tasks of one kind arrive in sequence.
  private volatile @Nullable Last<D> last;

  Labelled(StatefulMetric<D, ?> metric, int tags, int bound) {
    this.metric = metric;
    this.bound = bound;
    this.other = new String[tags];
    Arrays.fill(other, OTHER);
  }

  /// The data point of a metric with one tag.
  public D of(String value) {
    Last<D> seen = last;
    return seen != null && seen.key.equals(value) ? seen.point : find(value, value);
  }

  /// The data point of a metric with two tags.
  public D of(String first, String second) {
    Last<D> seen = last;
    return seen != null && seen.key instanceof Two two && two.is(first, second)
        ? seen.point
        : find(new Two(first, second), first, second);
  }

  /// The data point of a metric with three tags.
  public D of(String first, String second, String third) {
    Last<D> seen = last;
    return seen != null && seen.key instanceof Three three && three.is(first, second, third)
        ? seen.point
        : find(new Three(first, second, third), first, second, third);
  }

  private D find(Object key, String... values) {
    D point = points.get(key);
    if (point == null) {
      point = add(key, values);
    }
    last = new Last<>(key, point);
    return point;
  }

  private synchronized D add(Object key, String... values) {
    D known = points.get(key);
    if (known != null) {
      return known;
    }
    if (points.size() >= bound) {
      return metric.labelValues(other);
    }
    D added =
        metric.labelValues(
            Arrays.stream(values).map(Labelled::clean).toList().toArray(String[]::new));
    points.put(key, added);
    return added;
  }

  /// The data points of a metric with two tags, by their values; without `other`.
  Map<Map.Entry<String, String>, D> byTwoTags() {
    var found = new HashMap<Map.Entry<String, String>, D>();
    points.forEach((key, point) -> {
      if (key instanceof Two(String first, String second)) {
        found.put(Map.entry(first, second), point);
      }
    });
    return found;
  }

  /// All data points at this moment.
  MetricSnapshot snapshot() {
    return metric.collect();
  }

  /// Removes the data point of a metric with two tags; it must not be used afterwards.
  public synchronized void remove(String first, String second) {
    if (points.remove(new Two(first, second)) != null) {
      last = null;
      metric.remove(clean(first), clean(second));
    }
  }

  /// Replaces the characters that one of the receivers does not allow in a tag value, and
  /// truncates.
  static String clean(String value) {
    int length = Math.min(value.length(), LONGEST_VALUE);
    var clean = new StringBuilder(length);
    for (int i = 0; i < length; i++) {
      char c = value.charAt(i);
      boolean bad = c <= ' ' || c == ',' || c == '|' || c == '#' || c >= 0x7F;
      clean.append(bad ? '_' : c);
    }
    return clean.toString();
  }

  /// Number of data points, without `other`.
  int size() {
    return points.size();
  }

  private record Last<D>(Object key, D point) {}

  private record Two(String first, String second) {
    boolean is(String one, String other) {
      return first.equals(one) && second.equals(other);
    }
  }

  private record Three(String first, String second, String third) {
    boolean is(String one, String other, String another) {
      return first.equals(one) && second.equals(other) && third.equals(another);
    }
  }
}
