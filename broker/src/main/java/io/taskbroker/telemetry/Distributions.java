package io.taskbroker.telemetry;

import io.prometheus.metrics.core.datapoints.DistributionDataPoint;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot.HistogramDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.NativeHistogramBucket;
import java.util.HashMap;
import java.util.Map;

/// Reader of histograms: all data points of one as a [Distribution].
final class Distributions {
  private Distributions() {}

  static Distribution of(Labelled<DistributionDataPoint> histogram) {
    long instant = 0;
    Map<Integer, Long> buckets = new HashMap<>();
    for (HistogramDataPointSnapshot point :
        ((HistogramSnapshot) histogram.snapshot()).getDataPoints()) {
      instant += point.getNativeZeroCount();
      for (NativeHistogramBucket bucket : point.getNativeBucketsForPositiveValues()) {
        buckets.merge(bucket.getBucketIndex(), bucket.getCount(), Long::sum);
      }
    }
    return new Distribution(instant, buckets);
  }
}
