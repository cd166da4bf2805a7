package io.taskbroker;

import io.prometheus.metrics.core.datapoints.CounterDataPoint;
import io.prometheus.metrics.core.datapoints.GaugeDataPoint;
import io.taskbroker.inflight.api.EngineStats;
import io.taskbroker.telemetry.Metrics;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Gauges and counters per application and task name, for Prometheus. The engine bounds the number
/// of names (W46). Not thread-safe.
final class TaskGauges {
  private final Metrics metrics;
  private final Map<Name, Points> known = new HashMap<>();

  TaskGauges(Metrics metrics) {
    this.metrics = metrics;
  }

  void show(List<EngineStats.Task> tasks) {
    for (EngineStats.Task task : tasks) {
      known.computeIfAbsent(new Name(task.application(), task.taskname()), this::points).show(task);
    }
  }

  private Points points(Name name) {
    String application = name.application;
    String task = name.taskname;
    return new Points(
        metrics.pendingByTask.of(application, task),
        metrics.delayedByTask.of(application, task),
        metrics.claimedByTask.of(application, task),
        metrics.processingByTask.of(application, task),
        new Total(metrics.completedByTask.of(application, task)),
        new Total(metrics.failedByTask.of(application, task)),
        new Total(metrics.retriedByTask.of(application, task)),
        new Total(metrics.deadLetteredByTask.of(application, task)));
  }

  private record Name(String application, String taskname) {}

  private record Points(
      GaugeDataPoint pending,
      GaugeDataPoint delayed,
      GaugeDataPoint claimed,
      GaugeDataPoint processing,
      Total completed,
      Total failed,
      Total retried,
      Total deadLettered) {
    void show(EngineStats.Task task) {
      pending.set(task.pending());
      delayed.set(task.delayed());
      claimed.set(task.claimed());
      processing.set(task.processing());
      completed.set(task.completed());
      failed.set(task.failed());
      retried.set(task.retried());
      deadLettered.set(task.deadLettered());
    }
  }

  /// Counter that is set from a running total.
  private static final class Total {
    private final CounterDataPoint counter;
    private long reported;

    Total(CounterDataPoint counter) {
      this.counter = counter;
    }

    void set(long now) {
      counter.inc(now - reported);
      reported = now;
    }
  }
}
