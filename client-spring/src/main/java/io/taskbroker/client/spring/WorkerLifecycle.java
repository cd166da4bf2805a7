package io.taskbroker.client.spring;

import io.taskbroker.client.TaskClient;
import io.taskbroker.client.Worker;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.context.SmartLifecycle;

/// The worker of the application. It starts when everything else has, and stops first, with web
/// servers: data sources and the client are there until the last task has ended.
public final class WorkerLifecycle implements SmartLifecycle {
  private static final Logger log = LoggerFactory.getLogger(WorkerLifecycle.class);

  private final ListableBeanFactory beans;
  private final TaskClient client;
  private final TaskbrokerProperties.Worker properties;
  private volatile @Nullable Worker worker;

  WorkerLifecycle(
      ListableBeanFactory beans, TaskClient client, TaskbrokerProperties.Worker properties) {
    this.beans = beans;
    this.client = client;
    this.properties = properties;
  }

  @Override
  public void start() {
    Worker.Builder builder =
        Worker.builder(client)
            .application(properties.application())
            .slots(properties.slots())
            .stopTimeout(properties.stopTimeout());
    int methods = TaskMethods.bind(beans, builder);
    if (methods == 0) {
      log.info("No method has @HandlesTask: no worker is started");
      return;
    }
    worker = builder.start();
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
