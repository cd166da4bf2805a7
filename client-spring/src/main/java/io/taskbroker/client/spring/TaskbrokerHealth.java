package io.taskbroker.client.spring;

import io.taskbroker.client.Worker;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;

/// Up while the worker, if there is one, is connected to a broker.
final class TaskbrokerHealth implements HealthIndicator {
  private final @Nullable WorkerLifecycle lifecycle;

  TaskbrokerHealth(@Nullable WorkerLifecycle lifecycle) {
    this.lifecycle = lifecycle;
  }

  @Override
  public Health health() {
    Worker worker = lifecycle == null ? null : lifecycle.worker().orElse(null);
    if (worker == null) {
      return Health.up().withDetail("worker", "none").build();
    }
    Health.Builder health = worker.isConnected() ? Health.up() : Health.down();
    return health
        .withDetail("running", worker.running())
        .withDetail("slots", worker.slots())
        .withDetail("tasks", worker.taskNames())
        .build();
  }
}
