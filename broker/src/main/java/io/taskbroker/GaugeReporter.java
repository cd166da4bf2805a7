package io.taskbroker;

import io.taskbroker.config.BrokerConfig;
import io.taskbroker.engine.Mailbox;
import io.taskbroker.inflight.Command;
import io.taskbroker.inflight.EngineStats;
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

/// What is left of the reference's upkeep: it says how much there is, every
/// `upkeep_task_interval_ms`. The engine is asked, and answers from its accounts; the database is
/// not.
final class GaugeReporter implements Service {
  private static final long SHORTEST_MS = 10;

  /// What the reference calls all that is in a SQLite store (reference-spec 8.3).
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

  /// Topics that something was quarantined for. The engine's.
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

  private void look() {
    engine.submit(new Command.ReadStats(this::show));
    metrics.globalQueueDepth.set(engine.size());
    metrics.databaseSize.set((double) size(store));
    metrics.walSize.set((double) size(wal));
    metrics.health.of(killswitched ? "killswitched" : ready ? "healthy" : "unhealthy").inc();
    counts.say();
  }

  /// Called by the engine's thread.
  private void show(EngineStats census) {
    metrics.pendingTasks.of(TOPIC, PARTITION).set(census.pending());
    metrics.claimedTasks.of(TOPIC, PARTITION).set(census.claimed());
    metrics.processingTasks.of(TOPIC, PARTITION).set(census.processing());
    metrics.delayedTasks.of(TOPIC, PARTITION).set((double) census.delayed() + census.parked());
    metrics.pushQueueDepth.set(census.claimed());
    metrics.maxLag.set(Math.max(0, census.oldestMillis()) / 1_000.0);
    metrics.leavingTasks.set(census.forwarding());
    metrics.quarantinedTasks.set(census.quarantined());
    quarantinedTopics.addAll(census.quarantinedTopics().keySet());
    for (String topic : quarantinedTopics) {
      int number = census.quarantinedTopics().getOrDefault(topic, 0);
      metrics.quarantinedByTopic.of(topic).set(number);
    }
    metrics.parkedTasks.set(census.parked());
    metrics.localQueueDepth.set(census.outstanding());
    metrics.memoryBytes.set((double) census.memoryBytes());
    tasks.show(census.tasks());
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
      look();
      TimeUnit.MILLISECONDS.sleep(intervalMillis);
    }

    @Override
    public void end() {
      counts.say();
    }
  }
}
