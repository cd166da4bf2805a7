package io.taskbroker.telemetry;

import java.util.Map;
import java.util.OptionalDouble;
import java.util.TreeMap;

/// Distribution of durations: how many are in each bucket, 9 % wide. Immutable.
///
/// @param instant durations below the resolution of the clock
/// @param buckets by index: bucket `i` holds the durations from `2^((i-1)/8)` to `2^(i/8)` seconds
public record Distribution(long instant, Map<Integer, Long> buckets) {
  /// No duration.
  public static final Distribution NONE = new Distribution(0, Map.of());

  /// Buckets of each doubling.
  private static final double PER_DOUBLING = 8;

  public Distribution {
    buckets = Map.copyOf(buckets);
  }

  public long count() {
    return instant + buckets.values().stream().mapToLong(Long::longValue).sum();
  }

  /// The durations of both.
  public Distribution plus(Distribution other) {
    return combined(other, 1);
  }

  /// The durations that were added since.
  ///
  /// @param earlier state of the same distribution
  public Distribution since(Distribution earlier) {
    return combined(earlier, -1);
  }

  private Distribution combined(Distribution other, int sign) {
    var sum = new TreeMap<>(buckets);
    other.buckets.forEach((index, number) -> sum.merge(index, sign * number, Long::sum));
    sum.values().removeIf(number -> number <= 0);
    return new Distribution(Math.max(0, instant + sign * other.instant), sum);
  }

  /// The duration that a share of all does not exceed, in seconds, to 5 %; empty without durations.
  ///
  /// @param share more than 0, at most 1
  public OptionalDouble quantile(double share) {
    long count = count();
    if (count == 0) {
      return OptionalDouble.empty();
    }
    long left = (long) Math.ceil(share * count) - instant;
    if (left <= 0) {
      return OptionalDouble.of(0);
    }
    double value = 0;
    for (Map.Entry<Integer, Long> bucket : new TreeMap<>(buckets).entrySet()) {
      value = Math.pow(2, (bucket.getKey() - 0.5) / PER_DOUBLING);
      left -= bucket.getValue();
      if (left <= 0) {
        break;
      }
    }
    return OptionalDouble.of(value);
  }
}
