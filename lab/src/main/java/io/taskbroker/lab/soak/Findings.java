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

/// Stops the broker when the course is over, and looks at everything that is left of it. Used once.
final class Findings {
  private static final long LOOK_MILLIS = 500;

  /// A database that has had a backlog gives the room back; what is left remembers ids.
  private static final long MAX_DATABASE_BYTES = 16 << 20;

  private static final Duration VACUUM = Duration.ofSeconds(20);

  /// A soak that is so long leaves its last process time to get warm before it is measured.
  private static final Duration WARM = Duration.ofMinutes(5);

  private final SoakEnvironment scene;
  private final Faults faults;
  private final SoakRun course;
  private final StopHook hook;
  private final RestartableBroker broker;
  private final SoakSetting setting;
  private final List<String> problems = new ArrayList<>();

  Findings(SoakEnvironment scene, Faults faults, SoakRun course, StopHook hook) {
    this.scene = scene;
    this.faults = faults;
    this.course = course;
    this.hook = hook;
    broker = scene.victims().broker();
    setting = scene.victims().setting();
  }

  /// @param samples of all processes
  Report report(SoakOptions options, List<Sample> samples)
      throws InterruptedException, IOException {
    problems.addAll(course.problems());
    awaitVacuum();
    if (broker.diedWith().isEmpty()) {
      broker.stop();
    }
    problems.addAll(broker.problems());
    long database = lookAtDatabase();
    lookAtMessages();
    List<Growth.Change> changes = lookAtGrowth(options, samples);
    List<Incident> incidents = faults.incidents();
    var log = BrokerLog.read(setting.brokerLog(), incidents);
    log.unexpected().forEach(line -> problems.add("the log says: " + line));
    var account = ResultCheck.of(scene.evidence(), incidents);
    problems.addAll(account.problems());
    return new Report(facts(options, database), incidents, account, changes, log, problems);
  }

  private void awaitVacuum() throws InterruptedException, IOException {
    long deadline = System.nanoTime() + VACUUM.toNanos();
    while (Sample.size(setting.database()) > MAX_DATABASE_BYTES
        && System.nanoTime() - deadline < 0
        && !hook.asked().await(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
      // The broker gives back a few pages a second.
    }
  }

  private long lookAtDatabase() throws IOException {
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

  private void lookAtMessages() {
    int unpublished = scene.victims().publisher().failed().cardinality();
    if (unpublished > 0) {
      problems.add(unpublished + " tasks could not be published");
    }
    int strangers = scene.letters().strangers();
    if (strangers != faults.sentBadMessages()) {
      problems.add(
          "%d messages that are no tasks were published, and %d are on the dead-letter topic"
              .formatted(faults.sentBadMessages(), strangers));
    }
  }

  private List<Growth.Change> lookAtGrowth(SoakOptions options, List<Sample> samples) {
    List<Heap> heaps = course.heaps();
    long from = heaps.isEmpty() ? course.lastProcess() : heaps.getFirst().at();
    var growth =
        new Growth(
            options.load().compareTo(WARM) >= 0,
            heaps,
            samples.stream()
                .filter(sample -> sample.pid() == broker.pid() && sample.at() >= from)
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

  private Map<String, Object> facts(SoakOptions options, long database) {
    var facts = new LinkedHashMap<String, Object>();
    facts.put("seed", options.seed());
    facts.put("mode", setting.mode().toString());
    facts.put("load, s", options.load().toSeconds());
    facts.put("tasks published", scene.victims().publisher().published());
    facts.put("runs", scene.log().starts());
    facts.put("delayed beyond the horizon", scene.workload().count(SoakTaskKind.FAR));
    facts.put("messages that are no tasks", faults.sentBadMessages());
    facts.put("calls that make no sense", faults.badCalls());
    facts.put("processes", broker.starts());
    facts.put("slowest start, ms", broker.slowestStart().toMillis());
    facts.put("database at the end, bytes", database);
    return facts;
  }
}
