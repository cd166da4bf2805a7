package io.taskbroker.grpc;

import io.prometheus.metrics.core.datapoints.CounterDataPoint;
import io.prometheus.metrics.core.datapoints.DistributionDataPoint;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.telemetry.Metrics;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Metrics of worker calls and reports, with the reference's names. Thread-safe.
final class ServiceCounts {
  private static final List<Status> REPORTABLE =
      List.of(Status.COMPLETE, Status.FAILURE, Status.RETRY);

  private final Metrics metrics;

  ServiceCounts(Metrics metrics) {
    this.metrics = metrics;
  }

  /// Metrics of the calls of one method.
  ///
  /// @param calls number of calls
  /// @param duration duration of a call in seconds
  /// @param own the same duration, by the reference's name for this method; null if it has none
  record Method(
      CounterDataPoint calls, DistributionDataPoint duration, @Nullable DistributionDataPoint own) {
    void began() {
      calls.inc();
    }

    void ended(long nanos) {
      double seconds = nanos / 1e9;
      duration.observe(seconds);
      if (own != null) {
        own.observe(seconds);
      }
    }
  }

  /// Metrics of a method that the reference does not have.
  Method method(String path) {
    return method(path, null);
  }

  /// @param own the reference's duration metric for this method; null if it has none
  Method method(String path, @Nullable DistributionDataPoint own) {
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

  /// Counts an answered report.
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

  /// Counts an answered batch of reports.
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

  /// Counts a received batch of reports.
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
