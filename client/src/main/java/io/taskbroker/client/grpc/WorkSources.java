package io.taskbroker.client.grpc;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// The sources of a worker, one for each broker, and the deadlines of its attempts. Thread-safe.
public final class WorkSources {
  private static final long TICK_MILLIS = 200;

  private final List<WorkSource> all;
  private final RunningTasks tasks;
  private final ScheduledExecutorService timer;
  private @Nullable ScheduledFuture<?> ticks;

  private WorkSources(List<WorkSource> all, RunningTasks tasks, ScheduledExecutorService timer) {
    this.all = all;
    this.tasks = tasks;
    this.timer = timer;
  }

  /// Transport of deliveries: streams that the worker opens, a request for each, or calls of the
  /// broker.
  public enum Way {
    STREAM,
    PULL,
    PUSH
  }

  /// @param pushAddress to listen on, for PUSH
  public static WorkSources of(
      Way way,
      BrokerConnections brokers,
      WorkerOptions options,
      RunningTasks tasks,
      Counts counts,
      InetSocketAddress pushAddress) {
    return new WorkSources(
        brokers.brokers().stream()
            .map(broker ->
                switch (way) {
                  case STREAM -> new StreamSource(broker, brokers.timer(), options, tasks, counts);
                  case PULL -> new PullSource(broker, brokers.timer(), options, tasks, counts);
                  case PUSH ->
                      new PushSource(
                          broker,
                          brokers.timer(),
                          options,
                          tasks,
                          counts,
                          pushAddress,
                          brokers.options().secret());
                })
            .toList(),
        tasks,
        brokers.timer());
  }

  public void start() {
    ticks =
        timer.scheduleAtFixedRate(
            tasks::cancelOverdue, TICK_MILLIS, TICK_MILLIS, TimeUnit.MILLISECONDS);
    all.forEach(WorkSource::start);
  }

  /// Takes no more deliveries.
  public void drain() {
    all.forEach(WorkSource::drain);
  }

  /// Whether deliveries can arrive now, from one broker at least.
  public boolean isConnected() {
    return all.stream().anyMatch(WorkSource::isConnected);
  }

  /// Reports the remaining results, and ends, even if the thread is interrupted.
  ///
  /// @param timeout for the reports to each broker
  public void close(Duration timeout) {
    for (WorkSource each : all) {
      try {
        each.close(timeout);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    ScheduledFuture<?> periodic = ticks;
    if (periodic != null) {
      periodic.cancel(false);
    }
  }
}
