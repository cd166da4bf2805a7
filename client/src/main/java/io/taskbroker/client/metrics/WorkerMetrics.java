package io.taskbroker.client.metrics;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import io.taskbroker.client.TaskContext;
import io.taskbroker.client.TaskMiddleware;
import io.taskbroker.client.Worker;
import java.util.concurrent.TimeUnit;

/// Metrics of workers, as a middleware, which times attempts, and a binder of counts. Thread-safe.
///
/// | meter | tags | what it says |
/// |---|---|---|
/// | `taskbroker.worker.attempt`, timer | `namespace`, `task`, `outcome`: `returned`, `threw` | time in handler and inner middleware |
/// | `taskbroker.worker.running`, gauge | | tasks that run |
/// | `taskbroker.worker.slots`, gauge | | most tasks at once |
/// | `taskbroker.worker.connected`, gauge | | 1 while connected to a broker, otherwise 0 |
/// | `taskbroker.worker.results`, counter | `outcome`: `completed`, `failed`, `released`, `stale` | results; stale ones had no effect |
/// | `taskbroker.worker.connections`, counter | | connections that were made |
public final class WorkerMetrics implements TaskMiddleware {
  private final MeterRegistry registry;

  public WorkerMetrics(MeterRegistry registry) {
    this.registry = registry;
  }

  /// Counts and gauges of a worker, until the registry is closed.
  ///
  /// @param tags that tell workers of one registry apart; may be empty
  public void bind(Worker worker, Tags tags) {
    Gauge.builder("taskbroker.worker.running", worker, Worker::running)
        .tags(tags)
        .register(registry);
    Gauge.builder("taskbroker.worker.slots", worker, Worker::slots).tags(tags).register(registry);
    Gauge.builder("taskbroker.worker.connected", worker, each -> each.isConnected() ? 1 : 0)
        .tags(tags)
        .register(registry);
    FunctionCounter.builder(
            "taskbroker.worker.connections", worker, each -> each.counts().connections())
        .tags(tags)
        .register(registry);
    counter(worker, tags, "completed");
    counter(worker, tags, "failed");
    counter(worker, tags, "released");
    counter(worker, tags, "stale");
  }

  private void counter(Worker worker, Tags tags, String outcome) {
    FunctionCounter.builder("taskbroker.worker.results", worker, each -> count(each, outcome))
        .tags(tags.and("outcome", outcome))
        .register(registry);
  }

  private static double count(Worker worker, String outcome) {
    return switch (outcome) {
      case "completed" -> worker.counts().completed();
      case "failed" -> worker.counts().failed();
      case "released" -> worker.counts().released();
      default -> worker.counts().stale();
    };
  }

  @Override
  public void around(TaskContext context, Attempt next) throws Exception {
    long start = System.nanoTime();
    String outcome = "threw";
    try {
      next.run();
      outcome = "returned";
    } finally {
      Timer.builder("taskbroker.worker.attempt")
          .tag("namespace", context.namespace())
          .tag("task", context.name())
          .tag("outcome", outcome)
          .register(registry)
          .record(System.nanoTime() - start, TimeUnit.NANOSECONDS);
    }
  }
}
