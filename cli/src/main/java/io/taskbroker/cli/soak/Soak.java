package io.taskbroker.cli.soak;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.taskbroker.cli.rig.LeftOvers;
import io.taskbroker.cli.rig.StopHook;
import io.taskbroker.cli.rig.TaskReader;
import io.taskbroker.cli.soak.FaultPlan.Planned;
import io.taskbroker.testkit.BrokerLaunch;
import io.taskbroker.testkit.ExecutionLog;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;

/// One soak: Kafka and workers in this process, the broker in another. Ends by itself, within a
/// bounded time after the load; removes nothing. An interrupt of the process stops everything in
/// order.
final class Soak {
  private static final Duration TURN = Duration.ofMillis(100);
  private static final long LOOK_MILLIS = 500;
  private static final int HEAP_LOOKS = 12;

  /// A database that has had a backlog gives the room back; what is left remembers ids.
  private static final long MAX_DATABASE_BYTES = 16 << 20;

  /// A soak that is so long leaves its last process time to get warm before it is measured.
  private static final Duration WARM = Duration.ofMinutes(5);

  private static final Duration VACUUM = Duration.ofSeconds(20);

  private final SoakSetting setting;
  private final SoakOptions options;
  private final UnaryOperator<BrokerLaunch> adjustment;
  private final PrintWriter out;
  private final FaultPlan plan;
  private final Workload workload;
  private final List<Heap> heaps = new ArrayList<>();
  private final List<String> problems = new ArrayList<>();

  /// @param adjustment changes how the broker is started
  Soak(
      SoakSetting setting,
      SoakOptions options,
      UnaryOperator<BrokerLaunch> adjustment,
      PrintWriter out) {
    this.setting = setting;
    this.options = options;
    this.adjustment = adjustment;
    this.out = out;
    plan = FaultPlan.of(options.load(), options.seed());
    workload = new Workload(options);
  }

  /// Runs the soak; returns 0 if all is as it should be.
  int run() throws InterruptedException {
    sayPlan();
    try (var hook = StopHook.install(out);
        var kafka = new KafkaSeat(setting.kafka())) {
      kafka.createTopics();
      setting.writeConfig(kafka.bootstrap());
      try (var broker = new BrokerSeat(adjustment.apply(launch()))) {
        broker.awaitServing();
        return load(hook, kafka, broker);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("Could not write to " + setting.dir(), e);
    }
  }

  /// All of the heap is there from the beginning, so that a process grows only if something else
  /// does.
  private BrokerLaunch launch() {
    return BrokerLaunch.ofThisClassPath(setting.config(), setting.brokerPort(), setting.brokerLog())
        .withJvmOptions("-Xms256m", "-XX:+AlwaysPreTouch");
  }

  private int load(StopHook hook, KafkaSeat kafka, BrokerSeat broker)
      throws InterruptedException, IOException {
    var log = new ExecutionLog(workload.tasks());
    var runs = new Runs(workload, log, System.nanoTime());
    try (var pools = new Pools(setting, runs, log);
        var letters = TaskReader.of(kafka.bootstrap(), SoakSetting.DEAD_LETTERS, workload.tasks());
        var demoted = TaskReader.of(kafka.bootstrap(), SoakSetting.LONG, workload.tasks());
        var publisher = new Publisher(kafka.bootstrap(), workload, runs, log)) {
      var victims = new Faults.Victims(setting, broker, kafka, pools, publisher);
      var faults = new Faults(victims, runs, hook.asked(), options.seed());
      try (var watch =
          new Watch(
              broker,
              runs,
              setting,
              () -> progress(publisher, log, letters, demoted, runs, faults),
              out)) {
        pools.start();
        publisher.start();
        watch.start();
        long lastProcess = letFaultsHappen(hook, broker, faults, runs);
        var scene = new Scene(hook, kafka, broker, faults, runs, log, letters, demoted, publisher);
        drain(scene);
        heap(broker, runs);
        watch.close();
        return report(scene, watch.samples(), lastProcess);
      }
    }
  }

  /// Who and what there is once the load runs.
  private record Scene(
      StopHook hook,
      KafkaSeat kafka,
      BrokerSeat broker,
      Faults faults,
      Runs runs,
      ExecutionLog log,
      TaskReader letters,
      TaskReader demoted,
      Publisher publisher) {
    Account.Evidence evidence(Workload workload) {
      return new Account.Evidence(workload, runs, log, letters, demoted, publisher.failed());
    }
  }

  /// Returns when the load is over and all faults have happened; on a slow machine they are late,
  /// and the last of them are left out when the load has been over for as long as it took.
  ///
  /// @return when the process began to serve that lives to the end; nanoseconds since the beginning
  private long letFaultsHappen(StopHook hook, BrokerSeat broker, Faults faults, Runs runs)
      throws InterruptedException {
    long heapPeriod = options.load().minus(plan.lastProcess()).dividedBy(HEAP_LOOKS).toNanos();
    long nextHeap = plan.lastProcess().toNanos() + heapPeriod;
    long end = options.load().toNanos();
    long lastProcess = 0;
    var waiting = new ArrayDeque<Planned>(plan.faults());
    while (!hook.isAsked()
        && isAlive(broker)
        && (runs.now() < end || !waiting.isEmpty() && runs.now() < 2 * end)) {
      boolean restartsAreOver = waiting.stream().noneMatch(fault -> fault.kind().restarts);
      if (restartsAreOver && runs.now() >= nextHeap) {
        heap(broker, runs);
        nextHeap = runs.now() + heapPeriod;
      } else if (!waiting.isEmpty() && runs.now() >= waiting.getFirst().at().toNanos()) {
        Planned fault = waiting.removeFirst();
        faults.happen(fault);
        if (fault.kind().restarts) {
          lastProcess = runs.now();
          nextHeap = Math.max(nextHeap, lastProcess + heapPeriod);
        }
      } else {
        var _ = hook.asked().await(TURN.toMillis(), TimeUnit.MILLISECONDS);
      }
    }
    waiting.forEach(fault -> say("left out, the machine is too slow: " + fault));
    return lastProcess;
  }

  private boolean isAlive(BrokerSeat broker) {
    if (broker.diedWith().isPresent()) {
      String problem = "the broker ended with code " + broker.diedWith().getAsInt();
      if (!problems.contains(problem)) {
        problems.add(problem);
      }
      return false;
    }
    return true;
  }

  private void heap(BrokerSeat broker, Runs runs) throws InterruptedException {
    if (broker.diedWith().isEmpty()) {
      heaps.add(Heap.of(broker.pid(), runs.now(), setting.dir().resolve("heap.txt")));
    }
  }

  /// Waits until every task has come to an end and the broker has nothing left, or nothing moves
  /// any more.
  private void drain(Scene scene) throws InterruptedException {
    long moved = System.nanoTime();
    long before = -1;
    while (!scene.hook().asked().await(LOOK_MILLIS, TimeUnit.MILLISECONDS)
        && isAlive(scene.broker())) {
      int open = Account.open(scene.evidence(workload), scene.faults().incidents());
      if (scene.publisher().isDone() && open == 0 && LeftOvers.rows(setting.database()) == 0) {
        break;
      }
      ExecutionLog log = scene.log();
      long movement =
          log.starts()
              + log.finishes()
              + log.acknowledged()
              + scene.publisher().published()
              + scene.letters().tasks()
              + scene.demoted().tasks();
      if (movement != before) {
        before = movement;
        moved = System.nanoTime();
      } else if (System.nanoTime() - moved > options.patience().toNanos()) {
        problems.add("nothing happened for %d s".formatted(options.patience().toSeconds()));
        break;
      }
    }
    if (scene.hook().isAsked()) {
      problems.add("interrupted");
    }
    long uncommitted =
        setting
            .leftOvers(scene.kafka().bootstrap())
            .uncommitted(options.patience(), scene.hook().asked());
    if (uncommitted > 0) {
      problems.add(uncommitted + " messages are not committed as consumed");
    }
  }

  private int report(Scene scene, List<Sample> samples, long lastProcess)
      throws InterruptedException, IOException {
    awaitVacuum(scene.hook());
    scene.broker().stop();
    problems.addAll(scene.broker().problems());
    long rows = LeftOvers.rows(setting.database());
    if (rows > 0) {
      problems.add(rows + " tasks are left in the database");
    }
    long database = Sample.size(setting.database());
    if (database > MAX_DATABASE_BYTES) {
      problems.add("the database has %,d bytes and no task".formatted(database));
    }
    if (scene.publisher().failed().cardinality() > 0) {
      problems.add(scene.publisher().failed().cardinality() + " tasks could not be published");
    }
    int strangers = scene.letters().strangers();
    if (strangers != scene.faults().sentBadMessages()) {
      problems.add(
          "%d messages that are no tasks were published, and %d are on the dead-letter topic"
              .formatted(scene.faults().sentBadMessages(), strangers));
    }
    List<Growth.Change> changes = growth(samples, scene.broker().pid(), lastProcess);
    List<Incident> incidents = scene.faults().incidents();
    var log = BrokerLog.read(setting.brokerLog(), incidents);
    log.unexpected().forEach(line -> problems.add("the log says: " + line));
    var account = Account.of(scene.evidence(workload), incidents);
    problems.addAll(account.problems());
    var report = new Report(facts(scene, database), incidents, account, changes, log, problems);
    say("");
    say(report.text());
    if (options.json().isPresent()) {
      Path file = options.json().get();
      Files.writeString(file, report.json(samples), UTF_8);
      say("report     " + file);
    }
    say("logs       %s, %s".formatted(setting.brokerLog(), setting.soakLog()));
    return report.isGood() ? 0 : 1;
  }

  private void awaitVacuum(StopHook hook) throws InterruptedException, IOException {
    long deadline = System.nanoTime() + VACUUM.toNanos();
    while (Sample.size(setting.database()) > MAX_DATABASE_BYTES
        && System.nanoTime() - deadline < 0
        && !hook.asked().await(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
      // The broker gives back a few pages a second.
    }
  }

  private List<Growth.Change> growth(List<Sample> samples, long pid, long lastProcess) {
    var growth =
        new Growth(
            options.load().compareTo(WARM) >= 0,
            heaps,
            samples.stream()
                .filter(sample -> sample.pid() == pid && sample.at() >= lastProcess)
                .filter(sample -> heaps.isEmpty() || sample.at() >= heaps.getFirst().at())
                .toList());
    if (!growth.isMeasured()) {
      problems.add("the broker's process was not seen often enough to say whether it grows");
      return List.of();
    }
    List<Growth.Change> changes = growth.changes();
    for (Growth.Change change : changes) {
      if (!change.isFlat()) {
        problems.add(
            "%s grew from %,d to %,d".formatted(change.what(), change.before(), change.after()));
      }
    }
    if (!changes.getFirst().isFlat()) {
      problems.add("what grew: " + heaps.getLast().grownSince(heaps.getFirst()));
    }
    return changes;
  }

  private LinkedHashMap<String, Object> facts(Scene scene, long database) {
    var facts = new LinkedHashMap<String, Object>();
    facts.put("seed", options.seed());
    facts.put("mode", setting.mode().toString());
    facts.put("load, s", options.load().toSeconds());
    facts.put("tasks published", scene.publisher().published());
    facts.put("runs", scene.log().starts());
    facts.put("delayed beyond the horizon", workload.count(Kind.FAR));
    facts.put("messages that are no tasks", scene.faults().sentBadMessages());
    facts.put("calls that make no sense", scene.faults().badCalls());
    facts.put("processes", scene.broker().starts());
    facts.put("slowest start, ms", scene.broker().slowestStart().toMillis());
    facts.put("database at the end, bytes", database);
    return facts;
  }

  private static String progress(
      Publisher publisher,
      ExecutionLog log,
      TaskReader letters,
      TaskReader demoted,
      Runs runs,
      Faults faults) {
    return "%,d published, %,d ended, %,d runs repeated%s"
        .formatted(
            publisher.published(),
            log.completedTasks() + letters.tasks() + demoted.tasks(),
            runs.repeated(),
            faults.current().isEmpty() ? "" : ", " + faults.current());
  }

  private void sayPlan() {
    say(
        "%,d tasks in %,d s, mode %s, seed %d"
            .formatted(
                workload.tasks(), options.load().toSeconds(), setting.mode(), options.seed()));
    say("directory  %s".formatted(setting.dir()));
    say("faults");
    plan.faults().forEach(fault -> say("  " + fault));
  }

  private void say(String line) {
    out.println(line);
    out.flush();
  }
}
