package io.taskbroker.client.spring;

import io.taskbroker.client.ResourceLimit;
import io.taskbroker.client.TaskClient;
import io.taskbroker.client.TaskMiddleware;
import io.taskbroker.client.Worker;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.context.SmartLifecycle;

/// Lifecycle of the application's worker. It starts after everything else, and stops first, with
/// web servers: data sources and the client stay until the last task has ended.
public final class WorkerLifecycle implements SmartLifecycle {
  private static final Logger log = LoggerFactory.getLogger(WorkerLifecycle.class);

  private final ListableBeanFactory beans;
  private final TaskClient client;
  private final TaskbrokerProperties.Worker properties;
  private final List<TaskMiddleware> middleware;
  private final Consumer<Worker> onStart;
  private volatile @Nullable Worker worker;

  /// @param middleware around each attempt
  /// @param onStart receives each worker that was started
  WorkerLifecycle(
      ListableBeanFactory beans,
      TaskClient client,
      TaskbrokerProperties.Worker properties,
      List<TaskMiddleware> middleware,
      Consumer<Worker> onStart) {
    this.beans = beans;
    this.client = client;
    this.properties = properties;
    this.middleware = List.copyOf(middleware);
    this.onStart = onStart;
  }

  @Override
  public void start() {
    Worker.Builder builder =
        Worker.builder(client)
            .application(properties.application())
            .stopTimeout(properties.stopTimeout())
            .middleware(middleware.toArray(TaskMiddleware[]::new));
    Integer least = properties.leastSlots();
    if (least == null) {
      builder.slots(properties.slots());
    } else {
      builder.slots(least, properties.slots(), ResourceLimit.standard());
    }
    int methods = TaskMethods.bind(beans, builder::handle);
    if (methods == 0) {
      log.info("No method has @HandlesTask: no worker is started");
      return;
    }
    Worker started = builder.start();
    worker = started;
    onStart.accept(started);
  }

  @Override
  public void stop() {
    Worker running = worker;
    if (running != null) {
      running.close();
      worker = null;
    }
  }

  @Override
  public boolean isRunning() {
    return worker != null;
  }

  @Override
  public int getPhase() {
    return DEFAULT_PHASE;
  }

  /// The worker; empty if there is no method with [HandlesTask], or it was stopped.
  public Optional<Worker> worker() {
    return Optional.ofNullable(worker);
  }
}
