package io.taskbroker.benchmarks;

import io.taskbroker.testkit.ExecutionLog;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;

/// One end-to-end run: publishes tasks to a real Kafka, and measures how a real broker delivers
/// them to real workers. The second half is the steady state.
final class EndToEnd {
  private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
  private static final long LOOK_MILLIS = 20;
  private static final int REHEARSED = 20_000;
  private static final long PATIENCE_NANOS = 30 * SECOND;
  private static final Duration BEYOND_THE_END = Duration.ofHours(1);

  private final Scenario scenario;
  private final Path dir;
  private final ExecutionLog log;
  private final List<Integer> completedBySecond = new ArrayList<>();
  private final List<Long> residentBySecond = new ArrayList<>();

  private ProcessUsage broker = new ProcessUsage(0);
  private ProcessUsage kafka = new ProcessUsage(0);
  private final ProcessUsage load = new ProcessUsage(ProcessHandle.current().pid());
  private Optional<AllocationProbe> probe = Optional.empty();

  EndToEnd(Scenario scenario, Path dir) {
    this.scenario = scenario;
    this.dir = dir;
    log = new ExecutionLog(scenario.offer().capacity());
  }

  /// Measurements of one run.
  ///
  /// @param begin at the first task
  /// @param middle at the start of the steady state
  /// @param end at its end
  /// @param fsyncs between middle and end; empty if they could not be counted
  /// @param resident resident bytes of the broker by second
  /// @param searches figures of [SearchLoad]; empty without one
  /// @param page figures of [PageLoad]; empty without one
  /// @param exitCode of the broker
  record Outcome(
      Scenario scenario,
      ExecutionLog log,
      int published,
      RunSnapshot begin,
      RunSnapshot middle,
      RunSnapshot end,
      OptionalLong fsyncs,
      List<Integer> completedBySecond,
      List<Long> resident,
      long peakResident,
      Map<String, Object> searches,
      Map<String, Object> page,
      int exitCode) {}

  Outcome run() throws IOException, InterruptedException {
    try (BenchmarkEnvironment world = BenchmarkEnvironment.open(scenario, dir);
        var publisher =
            publisher(
                world,
                BenchmarkEnvironment.TOPIC,
                BenchmarkEnvironment.APPLICATION,
                scenario.offer(),
                log)) {
      rehearse(world);
      int backlog = scenario.offer().backlog();
      publisher.publish(backlog, Duration.ZERO);
      publishCrowd(world);
      ChildProcess process = world.startBroker(BenchmarkEnvironment.TOPIC, log);
      broker = new ProcessUsage(process.pid());
      kafka = new ProcessUsage(world.kafka().pid());
      awaitCrowd(world, process);
      probe = scenario.broker().probed() ? AllocationProbe.attach(process.pid()) : Optional.empty();
      try {
        return backlog > 0
            ? watch(world, process, publisher)
            : withNeighbours(world, process, publisher);
      } finally {
        probe.ifPresent(AllocationProbe::close);
      }
    }
  }

  private void rehearse(BenchmarkEnvironment world) throws IOException, InterruptedException {
    Duration length = scenario.broker().rehearsal();
    if (length.isZero()) {
      return;
    }
    Scenario.Offer played = scenario.offer();
    var offer =
        new Scenario.Offer(length, 0, REHEARSED, 0, played.parameterBytes(), played.lingerMillis());
    var own = new ExecutionLog(offer.capacity());
    ChildProcess process = world.startBroker(BenchmarkEnvironment.REHEARSAL, own);
    try (var publisher =
        publisher(
            world, BenchmarkEnvironment.REHEARSAL, BenchmarkEnvironment.APPLICATION, offer, own)) {
      publisher.start();
      TimeUnit.NANOSECONDS.sleep(length.toNanos());
      awaitRest(process, publisher.stop(), own);
    }
    world.stop(process);
  }

  private void publishCrowd(BenchmarkEnvironment world) {
    var neighbours = scenario.neighbours();
    publishCrowd(world, BenchmarkEnvironment.APPLICATION, neighbours.delayed(), BEYOND_THE_END);
    publishCrowd(world, BenchmarkEnvironment.DEAD, neighbours.waiting(), Duration.ZERO);
  }

  private void publishCrowd(
      BenchmarkEnvironment world, String application, int tasks, Duration delay) {
    if (tasks == 0) {
      return;
    }
    var own = new ExecutionLog(tasks);
    try (var crowd =
        publisher(world, BenchmarkEnvironment.TOPIC, application, scenario.offer(), own)) {
      crowd.publish(tasks, delay);
    }
  }

  private void awaitCrowd(BenchmarkEnvironment world, ChildProcess process)
      throws InterruptedException {
    double stored = 0;
    long moved = System.nanoTime();
    while (stored < scenario.neighbours().crowd()) {
      TimeUnit.NANOSECONDS.sleep(SECOND);
      double now = Scrape.of(world.metricsPort()).getOrDefault(Scrape.STORED, 0.0);
      if (now > stored) {
        stored = now;
        moved = System.nanoTime();
      } else if (System.nanoTime() - moved > PATIENCE_NANOS) {
        throw new IllegalStateException(
            "The broker stored only %,.0f tasks:%n%s".formatted(stored, process.logEnd()));
      }
    }
  }

  private static LoadPublisher publisher(
      BenchmarkEnvironment world,
      String topic,
      String application,
      Scenario.Offer offer,
      ExecutionLog log) {
    return new LoadPublisher(world.bootstrap(), topic, application, offer, log);
  }

  private Outcome withNeighbours(
      BenchmarkEnvironment world, ChildProcess process, LoadPublisher publisher)
      throws InterruptedException {
    var neighbours = new ArrayList<LoadPublisher>();
    try {
      neighbour(world, BenchmarkEnvironment.DEAD, scenario.neighbours().deadRate(), neighbours);
      neighbour(world, BenchmarkEnvironment.SLOW, scenario.neighbours().slowRate(), neighbours);
      return watch(world, process, publisher);
    } finally {
      neighbours.forEach(LoadPublisher::close);
    }
  }

  private void neighbour(
      BenchmarkEnvironment world, String application, int rate, List<LoadPublisher> neighbours) {
    if (rate > 0) {
      var offer =
          new Scenario.Offer(
              scenario.offer().length(), rate, 0, 0, scenario.offer().parameterBytes(), 0);
      var own =
          publisher(
              world,
              BenchmarkEnvironment.TOPIC,
              application,
              offer,
              new ExecutionLog(offer.capacity()));
      neighbours.add(own);
      own.start();
    }
  }

  private Outcome watch(BenchmarkEnvironment world, ChildProcess process, LoadPublisher publisher)
      throws InterruptedException {
    int backlog = scenario.offer().backlog();
    RunSnapshot begin = snapshot(world);
    if (backlog == 0) {
      publisher.start();
    }
    await(process, begin, 0.5);
    RunSnapshot middle = snapshot(world);
    Optional<SearchLoad> searchLoad =
        operator(scenario.neighbours().searches(), SearchLoad::new, world);
    Optional<PageLoad> pageLoad = operator(scenario.neighbours().pageLoads(), PageLoad::new, world);
    Fsyncs fsyncs = Fsyncs.of(world.storingPids(process), dir.resolve("perf.txt"));
    await(process, begin, backlog > 0 ? 0.98 : 1);
    for (AlternatingLoad load : operators(searchLoad, pageLoad)) {
      load.end();
    }
    OptionalLong counted = fsyncs.stop();
    RunSnapshot end = snapshot(world);
    int published = backlog > 0 ? backlog : publisher.stop();
    awaitRest(process, published, log);
    int exitCode = world.stop(process);
    if (publisher.failed() > 0) {
      throw new IllegalStateException(publisher.failed() + " tasks could not be published");
    }
    return new Outcome(
        scenario,
        log,
        published,
        begin,
        middle,
        end,
        counted,
        List.copyOf(completedBySecond),
        List.copyOf(residentBySecond),
        broker.peakResident(),
        searchLoad.map(SearchLoad::figures).orElse(Map.of()),
        pageLoad.map(PageLoad::figures).orElse(Map.of()),
        exitCode);
  }

  private interface Making<L> {
    L of(int adminPort, ExecutionLog log, Duration period);
  }

  /// The operator of this scenario, at work; none if the period is zero.
  private <L extends AlternatingLoad> Optional<L> operator(
      Duration period, Making<L> making, BenchmarkEnvironment world) {
    if (period.isZero()) {
      return Optional.empty();
    }
    L load = making.of(world.adminPort(), log, period);
    load.start();
    return Optional.of(load);
  }

  private static List<AlternatingLoad> operators(
      Optional<SearchLoad> searches, Optional<PageLoad> page) {
    List<AlternatingLoad> all = new ArrayList<>();
    searches.ifPresent(all::add);
    page.ifPresent(all::add);
    return all;
  }

  private RunSnapshot snapshot(BenchmarkEnvironment world) throws InterruptedException {
    Map<String, Long> allocated = probe.map(AllocationProbe::look).orElse(Map.of());
    Map<String, Double> metrics = Scrape.of(world.metricsPort());
    return new RunSnapshot(
        System.nanoTime(),
        log.completedTasks(),
        broker.look(),
        kafka.look(),
        load.look(),
        allocated,
        metrics);
  }

  /// Waits until a share of the run is over, with a sample every second.
  private void await(ChildProcess process, RunSnapshot begin, double share)
      throws InterruptedException {
    long length = scenario.offer().length().toNanos();
    int backlog = scenario.offer().backlog();
    int before = -1;
    long moved = System.nanoTime();
    while (true) {
      long now = System.nanoTime();
      int completed = log.completedTasks();
      if (now - begin.nanos() >= (completedBySecond.size() + 1) * SECOND) {
        completedBySecond.add(completed);
        residentBySecond.add(broker.look().residentBytes());
      }
      if (backlog > 0 ? completed >= share * backlog : now - begin.nanos() >= share * length) {
        return;
      }
      if (completed != before) {
        before = completed;
        moved = now;
      }
      boolean expected = backlog > 0 || scenario.offer().rate() == 0;
      if (!process.isAlive() || (expected && now - moved > PATIENCE_NANOS)) {
        throw new IllegalStateException(
            "No progress after %,d tasks:%n%s".formatted(completed, process.logEnd()));
      }
      TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
    }
  }

  /// Waits until everything is completed or nothing progresses; missing tasks then count as lost.
  private static void awaitRest(ChildProcess process, int published, ExecutionLog log)
      throws InterruptedException {
    int before = -1;
    long moved = System.nanoTime();
    while (log.completedTasks() < published && process.isAlive()) {
      int completed = log.completedTasks();
      if (completed != before) {
        before = completed;
        moved = System.nanoTime();
      } else if (System.nanoTime() - moved > PATIENCE_NANOS) {
        return;
      }
      TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
    }
  }
}
