package io.taskbroker.grpc;

import io.prometheus.metrics.core.datapoints.CounterDataPoint;
import io.prometheus.metrics.core.datapoints.DistributionDataPoint;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.Command;
import io.taskbroker.telemetry.Metrics;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/// What workers ask for and report, in the metrics of the reference. Thread-safe.
final class ServiceCounts {
  private static final List<Status> REPORTED =
      List.of(Status.COMPLETE, Status.FAILURE, Status.RETRY);

  private final Metrics metrics;
  private final Map<Status, CounterDataPoint> ok = new EnumMap<>(Status.class);
  private final Map<Status, CounterDataPoint> notFound = new EnumMap<>(Status.class);
  private final Map<Status, CounterDataPoint> error = new EnumMap<>(Status.class);

  ServiceCounts(Metrics metrics) {
    this.metrics = metrics;
    for (Status status : REPORTED) {
      ok.put(status, metrics.setStatus.of("ok", status.storedName()));
      notFound.put(status, metrics.setStatus.of("not_found", status.storedName()));
      error.put(status, metrics.setStatus.of("error", status.storedName()));
    }
  }

  /// The calls of a method, and how long they take.
  ///
  /// @param calls all of them
  /// @param durations of one call each, in seconds
  record Method(CounterDataPoint calls, List<DistributionDataPoint> durations) {
    void began() {
      calls.inc();
    }

    void ended(long nanos) {
      double seconds = nanos / 1e9;
      for (DistributionDataPoint duration : durations) {
        duration.observe(seconds);
      }
    }
  }

  /// @param own the metric that the reference has for this method alone
  Method method(String path, DistributionDataPoint own) {
    return new Method(metrics.grpcRequests.of(path), List.of(metrics.grpcDuration.of(path), own));
  }

  Method getTask(String path) {
    return method(path, metrics.getTaskDuration);
  }

  Method setTaskStatus(String path) {
    return method(path, metrics.setStatusDuration);
  }

  Method setBatch(String path) {
    return method(path, metrics.batchDuration);
  }

  /// A report was answered.
  void reported(Status status, boolean known) {
    (known ? ok : notFound).get(status).inc();
    if (status == Status.FAILURE) {
      metrics.setStatusFailure.inc();
    }
  }

  void reportFailed(Status status) {
    error.get(status).inc();
  }

  void fetchedNext(long nanos) {
    metrics.fetchNextDuration.observe(nanos / 1e9);
  }

  /// A call with reports arrived.
  void batch(List<Command.Update> updates) {
    int[] count = new int[Status.values().length];
    updates.forEach(update -> count[update.status().ordinal()]++);
    metrics.batchUpdates.inc(updates.size());
    int statuses = 0;
    for (Status status : REPORTED) {
      int reports = count[status.ordinal()];
      if (reports > 0) {
        metrics.batchSize.of(status.storedName()).observe(reports);
        statuses += status == Status.RETRY ? 0 : 1;
      }
    }
    metrics.batchStatuses.observe(statuses);
    metrics.batchRetries.observe(count[Status.RETRY.ordinal()]);
  }
}
