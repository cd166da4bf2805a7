package io.taskbroker;

import io.taskbroker.config.BrokerConfig;
import io.taskbroker.engine.Mailbox;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.EngineStats;
import io.taskbroker.runtime.FailureSink;
import io.taskbroker.runtime.LoopThread;
import io.taskbroker.runtime.Service;
import io.taskbroker.telemetry.Metrics;
import io.taskbroker.telemetry.UpkeepCounts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/// Reporter of the gauges of the reference's upkeep, every `upkeep_task_interval_ms`. Reads the
/// engine's statistics; never queries the database.
final class GaugeReporter implements Service {
  private static final long SHORTEST_MS = 10;

  /// Labels that the reference uses for the rows of a SQLite store (reference-spec 8.3).
  private static final String TOPIC = "taskworker";

  private static final String PARTITION = "-1";

  private final Metrics metrics;
  private final UpkeepCounts counts;
  private final TaskGauges tasks;
  private final Mailbox engine;
  private final Path store;
  private final Path wal;
  private final boolean killswitched;
  private final long intervalMillis;
  private final LoopThread thread;
  private volatile boolean ready;

  /// Topics with quarantined records, now or earlier. Confined to the engine's thread.
  private final Set<String> quarantinedTopics = new HashSet<>();

  GaugeReporter(BrokerConfig config, Metrics metrics, Mailbox engine, FailureSink failures) {
    this.metrics = metrics;
    this.counts = new UpkeepCounts(metrics);
    this.tasks = new TaskGauges(metrics);
    this.engine = engine;
    this.store = config.store().sqlite().path();
    this.wal = Path.of(store + "-wal");
    this.killswitched = config.upkeep().healthCheckKillswitched();
    this.intervalMillis = Math.max(SHORTEST_MS, config.upkeep().taskInterval().toMillis());
    this.thread = new LoopThread("upkeep", new Rounds(), failures);
  }

  @Override
  public String name() {
    return "upkeep";
  }

  @Override
  public void start() {
    thread.start();
  }

  @Override
  public void stop() {
    thread.stop(Duration.ofMillis(500));
  }

  void setReady(boolean now) {
    ready = now;
  }

  private void report() {
    engine.submit(new Command.ReadStats(this::show));
    metrics.globalQueueDepth.set(engine.size());
    metrics.databaseSize.set((double) size(store));
    metrics.walSize.set((double) size(wal));
    metrics.health.of(killswitched ? "killswitched" : ready ? "healthy" : "unhealthy").inc();
    counts.say();
  }

  /// Runs on the engine's thread.
  private void show(EngineStats stats) {
    metrics.pendingTasks.of(TOPIC, PARTITION).set(stats.pending());
    metrics.claimedTasks.of(TOPIC, PARTITION).set(stats.claimed());
    metrics.processingTasks.of(TOPIC, PARTITION).set(stats.processing());
    metrics.delayedTasks.of(TOPIC, PARTITION).set((double) stats.delayed() + stats.parked());
    metrics.pushQueueDepth.set(stats.claimed());
    metrics.maxLag.set(Math.max(0, stats.oldestMillis()) / 1_000.0);
    metrics.leavingTasks.set(stats.forwarding());
    metrics.quarantinedTasks.set(stats.quarantined());
    quarantinedTopics.addAll(stats.quarantinedTopics().keySet());
    for (String topic : quarantinedTopics) {
      int number = stats.quarantinedTopics().getOrDefault(topic, 0);
      metrics.quarantinedByTopic.of(topic).set(number);
    }
    metrics.parkedTasks.set(stats.parked());
    metrics.localQueueDepth.set(stats.outstanding());
    metrics.memoryBytes.set((double) stats.memoryBytes());
    tasks.show(stats.tasks());
  }

  private static long size(Path file) {
    try {
      return Files.size(file);
    } catch (IOException _) {
      return 0;
    }
  }

  private final class Rounds implements LoopThread.Loop {
    @Override
    public void turn() throws InterruptedException {
      report();
      TimeUnit.MILLISECONDS.sleep(intervalMillis);
    }

    @Override
    public void end() {
      counts.say();
    }
  }
}
