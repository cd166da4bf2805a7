package io.taskbroker.lab.soak;

import io.taskbroker.lab.rig.LeftOvers;
import io.taskbroker.lab.rig.StopHook;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/// Final checks of a soak: stops the broker and inspects what is left. Used once.
final class FinalChecks {
  private static final long LOOK_MILLIS = 500;

  /// Maximum size of an emptied database; what is left are tombstones.
  private static final long MAX_DATABASE_BYTES = 16 << 20;

  private static final Duration VACUUM = Duration.ofSeconds(20);

  /// Minimum length of a soak whose last process is warmed up before its first measurement.
  private static final Duration WARM = Duration.ofMinutes(5);

  private final SoakEnvironment environment;
  private final FaultInjector faults;
  private final SoakRun soakRun;
  private final StopHook hook;
  private final RestartableBroker broker;
  private final SoakSetting setting;
  private final List<String> problems = new ArrayList<>();

  FinalChecks(SoakEnvironment environment, FaultInjector faults, SoakRun soakRun, StopHook hook) {
    this.environment = environment;
    this.faults = faults;
    this.soakRun = soakRun;
    this.hook = hook;
    broker = environment.victims().broker();
    setting = environment.victims().setting();
  }

  /// @param samples of all processes
  Report report(SoakOptions options, List<Sample> samples)
      throws InterruptedException, IOException {
    problems.addAll(soakRun.problems());
    awaitVacuum();
    if (broker.diedWith().isEmpty()) {
      broker.stop();
    }
    problems.addAll(broker.problems());
    long database = checkDatabase();
    checkMessages();
    List<Growth.Change> changes = checkGrowth(options, samples);
    List<Incident> incidents = faults.incidents();
    var log = BrokerLog.read(setting.brokerLog(), incidents);
    var check = ResultCheck.of(environment.evidence(), incidents);
    problems.addAll(check.problems()); // first: one lost task may cause many errors in the log
    log.unexpected().forEach(line -> problems.add("unexpected error in the log: " + line));
    return new Report(facts(options, database), incidents, check, changes, log, problems);
  }

  private void awaitVacuum() throws InterruptedException, IOException {
    long deadline = System.nanoTime() + VACUUM.toNanos();
    while (Sample.size(setting.database()) > MAX_DATABASE_BYTES
        && System.nanoTime() - deadline < 0
        && !hook.asked().await(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
      // The broker vacuums a few pages a second.
    }
  }

  private long checkDatabase() throws IOException {
    long rows = LeftOvers.rows(setting.database());
    if (rows > 0) {
      problems.add(rows + " tasks are left in the database");
    }
    long bytes = Sample.size(setting.database());
    if (bytes > MAX_DATABASE_BYTES) {
      problems.add("the database has %,d bytes and no task".formatted(bytes));
    }
    return bytes;
  }

  private void checkMessages() {
    int unpublished = environment.victims().publisher().failed().cardinality();
    if (unpublished > 0) {
      problems.add(unpublished + " tasks could not be published");
    }
    int strangers = environment.letters().strangers();
    if (strangers != faults.sentBadMessages()) {
      problems.add(
          "%d invalid messages were published, and %d are on the dead-letter topic"
              .formatted(faults.sentBadMessages(), strangers));
    }
  }

  private List<Growth.Change> checkGrowth(SoakOptions options, List<Sample> samples) {
    List<Heap> heaps = soakRun.heaps();
    long from = heaps.isEmpty() ? soakRun.lastProcess() : heaps.getFirst().at();
    var growth =
        new Growth(
            options.load().compareTo(WARM) >= 0,
            heaps,
            samples.stream()
                .filter(sample -> sample.pid() == broker.pid() && sample.at() >= from)
                .toList());
    if (!growth.isMeasured()) {
      problems.add("too few samples of the broker's process to measure growth");
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
      problems.add("largest growth: " + heaps.getLast().grownSince(heaps.getFirst()));
    }
    return changes;
  }

  private Map<String, Object> facts(SoakOptions options, long database) {
    var facts = new LinkedHashMap<String, Object>();
    facts.put("seed", options.seed());
    facts.put("mode", setting.mode().toString());
    facts.put("load, s", options.load().toSeconds());
    facts.put("tasks published", environment.victims().publisher().published());
    facts.put("runs", environment.log().starts());
    facts.put("delayed beyond the horizon", environment.workload().count(SoakTaskKind.FAR));
    facts.put("invalid messages", faults.sentBadMessages());
    facts.put("invalid calls", faults.badCalls());
    facts.put("processes", broker.starts());
    facts.put("slowest start, ms", broker.slowestStart().toMillis());
    facts.put("database at the end, bytes", database);
    return facts;
  }
}
