package io.taskbroker.grpc;

import io.prometheus.metrics.core.datapoints.CounterDataPoint;
import io.prometheus.metrics.core.datapoints.DistributionDataPoint;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.Command;
import io.taskbroker.telemetry.Metrics;
import java.util.List;

/// What workers ask for and report, in the metrics of the reference. Thread-safe.
final class ServiceCounts {
  private static final List<Status> REPORTABLE =
      List.of(Status.COMPLETE, Status.FAILURE, Status.RETRY);

  private final Metrics metrics;

  ServiceCounts(Metrics metrics) {
    this.metrics = metrics;
  }

  /// The calls of a method, and how long they take.
  ///
  /// @param calls all of them
  /// @param duration of one call, in seconds
  /// @param own the same, by the name that the reference has for this method alone
  record Method(CounterDataPoint calls, DistributionDataPoint duration, DistributionDataPoint own) {
    void began() {
      calls.inc();
    }

    void ended(long nanos) {
      double seconds = nanos / 1e9;
      duration.observe(seconds);
      own.observe(seconds);
    }
  }

  /// @param own the metric that the reference has for this method alone
  Method method(String path, DistributionDataPoint own) {
    return new Method(metrics.grpcRequests.of(path), metrics.grpcDuration.of(path), own);
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
    metrics.setStatus.of(known ? "ok" : "not_found", status.storedName()).inc();
    if (status == Status.FAILURE) {
      metrics.setStatusFailure.inc();
    }
  }

  void reportFailed(Status status) {
    metrics.setStatus.of("error", status.storedName()).inc();
  }

  void fetchedNext(long nanos) {
    metrics.fetchNextDuration.observe(nanos / 1e9);
  }

  /// A call with reports was answered.
  ///
  /// @param result `ok` or `error`
  void batchEnded(List<Command.Update> updates, String result) {
    for (Status status : REPORTABLE) {
      int count = number(updates, status);
      if (count > 0) {
        metrics.batchResults.of(result, status.storedName()).inc(count);
      }
      if (status == Status.FAILURE && result.equals("ok")) {
        metrics.setStatusFailure.inc(count);
      }
    }
  }

  /// A call with reports arrived.
  void batch(List<Command.Update> updates) {
    int completed = count(updates, Status.COMPLETE);
    int failed = count(updates, Status.FAILURE);
    int retried = count(updates, Status.RETRY);
    metrics.batchUpdates.inc(updates.size());
    metrics.batchStatuses.observe((completed > 0 ? 1 : 0) + (failed > 0 ? 1 : 0));
    metrics.batchRetries.observe(retried);
  }

  private int count(List<Command.Update> updates, Status status) {
    int count = number(updates, status);
    if (count > 0) {
      metrics.batchSize.of(status.storedName()).observe(count);
    }
    return count;
  }

  private static int number(List<Command.Update> updates, Status status) {
    int count = 0;
    for (Command.Update update : updates) {
      if (update.status() == status) {
        count++;
      }
    }
    return count;
  }
}
