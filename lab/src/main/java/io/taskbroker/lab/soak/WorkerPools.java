package io.taskbroker.lab.soak;

import io.taskbroker.testkit.Behaviour;
import io.taskbroker.testkit.ExecutionLog;
import io.taskbroker.testkit.PullWorker;
import io.taskbroker.testkit.PushWorker;
import io.taskbroker.testkit.WorkerOptions;
import java.util.EnumMap;
import java.util.Map;

/// Worker pools by application, which can die and be replaced at the same address. Owned by one
/// thread.
final class WorkerPools implements AutoCloseable {
  /// More than the usual number of running tasks, unless a burst meets slow workers: then the
  /// broker must wait.
  private static final int CONCURRENCY = 256;

  private static final int REPORT_BATCH = 32;

  private final SoakSetting setting;
  private final WorkerOptions options;
  private final Behaviour behaviour;
  private final ExecutionLog log;
  private final Map<Application, AutoCloseable> running = new EnumMap<>(Application.class);

  WorkerPools(SoakSetting setting, Behaviour behaviour, ExecutionLog log) {
    this.setting = setting;
    this.behaviour = behaviour;
    this.log = log;
    options = WorkerOptions.of(setting.brokerAddress()).withConcurrency(CONCURRENCY);
  }

  void start() {
    for (Application application : Application.values()) {
      start(application);
    }
  }

  void start(Application application) {
    running.put(
        application,
        switch (setting.mode()) {
          case PUSH -> PushWorker.start(pushOptions(application), behaviour, log);
          case PULL -> PullWorker.start(options, application.toString(), behaviour, log);
        });
  }

  /// Some workers report one by one, some in batches.
  private WorkerOptions pushOptions(Application application) {
    int batch = application == Application.SHOP ? REPORT_BATCH : 1;
    return options
        .onPort(setting.workerPorts().getOrDefault(application, 0))
        .withReportBatch(batch);
  }

  /// Kills the workers; their running tasks are never reported.
  void kill(Application application) {
    AutoCloseable pool = running.remove(application);
    if (pool != null) {
      close(pool);
    }
  }

  private static void close(AutoCloseable pool) {
    try {
      pool.close();
    } catch (Exception e) {
      throw new IllegalStateException("Could not end workers", e);
    }
  }

  @Override
  public void close() {
    running.values().forEach(WorkerPools::close);
    running.clear();
  }
}
