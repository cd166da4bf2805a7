package io.taskbroker.telemetry;

import com.sun.management.OperatingSystemMXBean;
import io.prometheus.metrics.core.datapoints.CounterDataPoint;
import io.taskbroker.runtime.FailureSink;
import io.taskbroker.runtime.LoopThread;
import io.taskbroker.runtime.Service;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/// Sampler of process metrics, every `runtime_metrics_interval`.
public final class RuntimeGauges implements Service {
  private final Metrics metrics;
  private final Duration interval;
  private final LoopThread thread;
  private final ThreadMXBean threads = ManagementFactory.getThreadMXBean();
  private final List<GarbageCollectorMXBean> collectors =
      ManagementFactory.getGarbageCollectorMXBeans();
  private final OperatingSystemMXBean system =
      ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
  private long measuredAt = System.nanoTime();
  private long cpu = system.getProcessCpuTime();
  private long collections;
  private long collectionMillis;
  private final List<Drops> drops;

  /// @param dropped number of items that each telemetry channel has dropped so far
  public RuntimeGauges(
      Metrics metrics, Map<String, LongSupplier> dropped, Duration interval, FailureSink failures) {
    this.drops =
        dropped.entrySet().stream()
            .map(each -> new Drops(metrics.droppedTelemetry.of(each.getKey()), each.getValue()))
            .toList();
    this.metrics = metrics;
    this.interval = interval;
    this.thread = new LoopThread("runtime-metrics", this::turn, failures);
  }

  @Override
  public String name() {
    return "runtime metrics";
  }

  @Override
  public void start() {
    thread.start();
  }

  @Override
  public void stop() {
    thread.stop(Duration.ofMillis(500));
  }

  private void turn() throws InterruptedException {
    TimeUnit.NANOSECONDS.sleep(interval.toNanos());
    measure();
  }

  void measure() {
    int processors = Runtime.getRuntime().availableProcessors();
    metrics.workers.set(processors);
    metrics.aliveTasks.set(threads.getThreadCount());
    Runtime java = Runtime.getRuntime();
    metrics.heapUsed.set((double) (java.totalMemory() - java.freeMemory()));
    long now = System.nanoTime();
    long used = system.getProcessCpuTime();
    if (now > measuredAt) {
      double share = (double) (used - cpu) / (now - measuredAt) / processors;
      metrics.utilization.set(Math.clamp(share, 0.0, 1.0));
    }
    measuredAt = now;
    cpu = used;
    measureCollections();
    drops.forEach(Drops::count);
  }

  private void measureCollections() {
    long count = 0;
    long millis = 0;
    for (GarbageCollectorMXBean collector : collectors) {
      count += Math.max(0, collector.getCollectionCount());
      millis += Math.max(0, collector.getCollectionTime());
    }
    metrics.collections.inc(Math.max(0, count - collections));
    metrics.collectionSeconds.inc(Math.max(0, millis - collectionMillis) / 1_000.0);
    collections = count;
    collectionMillis = millis;
  }

  /// Increments the counter by the drops of one channel since the last sample.
  private static final class Drops {
    private final CounterDataPoint counter;
    private final LongSupplier all;
    private long counted;

    Drops(CounterDataPoint counter, LongSupplier all) {
      this.counter = counter;
      this.all = all;
    }

    void count() {
      long now = Math.max(counted, all.getAsLong());
      counter.inc(now - counted);
      counted = now;
    }
  }
}
