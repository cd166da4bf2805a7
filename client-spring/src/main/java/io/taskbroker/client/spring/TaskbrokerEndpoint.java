package io.taskbroker.client.spring;

import io.taskbroker.client.Worker;
import io.taskbroker.client.WorkerCounts;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.actuate.endpoint.annotation.Endpoint;
import org.springframework.boot.actuate.endpoint.annotation.ReadOperation;

/// Actuator endpoint `taskbroker`: state and counters of the worker.
@Endpoint(id = "taskbroker")
final class TaskbrokerEndpoint {
  private final @Nullable WorkerLifecycle lifecycle;

  TaskbrokerEndpoint(@Nullable WorkerLifecycle lifecycle) {
    this.lifecycle = lifecycle;
  }

  /// @param running tasks that run now
  /// @param counts since the worker started
  record View(boolean connected, int running, int slots, Set<String> tasks, WorkerCounts counts) {}

  /// Nothing if there is no worker.
  @ReadOperation
  @Nullable View worker() {
    Worker worker = lifecycle == null ? null : lifecycle.worker().orElse(null);
    return worker == null
        ? null
        : new View(
            worker.isConnected(),
            worker.running(),
            worker.slots(),
            worker.taskNames(),
            worker.counts());
  }
}
