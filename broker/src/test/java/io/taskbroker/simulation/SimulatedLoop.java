package io.taskbroker.simulation;

import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Delayed;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/// Event loop of a broker process: runs tasks in their order, a moment after they are submitted.
final class SimulatedLoop extends AbstractExecutorService implements ScheduledExecutorService {
  private final SimulatedProcess process;
  private final ArrayDeque<Runnable> tasks = new ArrayDeque<>();
  private final Actor thread;

  SimulatedLoop(SimulatedProcess process, SimulatedWorld world) {
    this.process = process;
    this.thread = new Actor(process, world, "event loop", this::turn);
  }

  private long turn() {
    for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
      task.run();
    }
    return Long.MAX_VALUE;
  }

  @Override
  public void execute(Runnable task) {
    tasks.add(task);
    thread.wake(process.latency());
  }

  @Override
  public ScheduledFuture<?> schedule(Runnable task, long delay, TimeUnit unit) {
    var timer = new Timer();
    process.later(
        unit.toNanos(delay),
        "timer of the event loop",
        () -> {
          if (!timer.isCancelled()) {
            execute(task);
          }
        });
    return timer;
  }

  private static final class Timer extends CompletableFuture<Void>
      implements ScheduledFuture<Void> {
    @Override
    public long getDelay(TimeUnit unit) {
      throw new UnsupportedOperationException();
    }

    @Override
    public int compareTo(Delayed other) {
      throw new UnsupportedOperationException();
    }
  }

  @Override
  public <V> ScheduledFuture<V> schedule(Callable<V> task, long delay, TimeUnit unit) {
    throw new UnsupportedOperationException();
  }

  @Override
  public ScheduledFuture<?> scheduleAtFixedRate(
      Runnable task, long initialDelay, long period, TimeUnit unit) {
    throw new UnsupportedOperationException();
  }

  @Override
  public ScheduledFuture<?> scheduleWithFixedDelay(
      Runnable task, long initialDelay, long delay, TimeUnit unit) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void shutdown() {}

  @Override
  public List<Runnable> shutdownNow() {
    return List.of();
  }

  @Override
  public boolean isShutdown() {
    return false;
  }

  @Override
  public boolean isTerminated() {
    return false;
  }

  @Override
  public boolean awaitTermination(long timeout, TimeUnit unit) {
    return false;
  }
}
