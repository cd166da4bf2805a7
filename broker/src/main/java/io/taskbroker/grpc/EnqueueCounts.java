package io.taskbroker.grpc;

import io.taskbroker.inflight.api.EnqueueOutcome;
import io.taskbroker.telemetry.Metrics;
import java.util.List;

/// Metrics of enqueued tasks. Thread-safe.
record EnqueueCounts(Metrics metrics) {
  /// Counts the tasks of one request.
  void enqueued(Enqueued tasks, List<EnqueueOutcome> outcomes) {
    int accepted = 0;
    int existing = 0;
    for (EnqueueOutcome outcome : outcomes) {
      accepted += outcome == EnqueueOutcome.ACCEPTED ? 1 : 0;
      existing += outcome == EnqueueOutcome.ALREADY_EXISTS ? 1 : 0;
    }
    count("accepted", accepted);
    count("already_exists", existing);
    count("rejected", tasks.size() - accepted - existing);
  }

  private void count(String result, int number) {
    if (number > 0) {
      metrics.enqueued.of(result).inc(number);
    }
  }
}
