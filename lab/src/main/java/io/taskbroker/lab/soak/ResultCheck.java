package io.taskbroker.lab.soak;

import io.taskbroker.lab.soak.Runs.Repeat;
import io.taskbroker.lab.soak.SoakTaskKind.End;
import io.taskbroker.testkit.Behaviour.Result;
import io.taskbroker.testkit.ExecutionLog;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.IntUnaryOperator;

/// Check of every task's outcome: each ended in one of the ways that its kind allows (the
/// conservation law); none ran too early, after its expiry or while switched off; no at-most-once
/// task ran twice; and every repeated execution has an explaining fault.
final class ResultCheck {
  private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
  private static final long CLOCKS_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

  /// From the last check of rules and clock to the start in the worker.
  private static final long SEND_NANOS = SECOND;

  /// From a change of the rules file until it applies, plus the same.
  private static final long RULES_NANOS = 3 * SECOND;

  /// From the death of a process that had a task until its outcome is known.
  private static final long AFTERMATH_NANOS = 15 * SECOND;

  /// Input of the check.
  ///
  /// @param letters number of dead letters of a task
  /// @param demoted number of records of a task on the topic of demoted tasks
  /// @param unpublished tasks that Kafka did not acknowledge
  record Evidence(
      Workload workload,
      Runs runs,
      ExecutionLog log,
      IntUnaryOperator letters,
      IntUnaryOperator demoted,
      BitSet unpublished) {}

  private final Evidence evidence;
  private final List<Incident> incidents;
  private final List<String> problems = new ArrayList<>();
  private final Map<String, Integer> repeats = new TreeMap<>();
  private final Map<String, Integer> ends = new TreeMap<>();
  private int missing;
  private int endedTwice;
  private int copies;

  private ResultCheck(Evidence evidence, List<Incident> incidents) {
    this.evidence = evidence;
    this.incidents = incidents;
  }

  static ResultCheck of(Evidence evidence, List<Incident> incidents) {
    var check = new ResultCheck(evidence, incidents);
    for (int number = 0; number < evidence.workload().tasks(); number++) {
      check.check(number);
    }
    evidence.runs().repeats().forEach(check::check);
    if (evidence.log().strangers() > 0) {
      check.problems.add(evidence.log().strangers() + " runs belong to no task");
    }
    if (evidence.log().refusals() > 0) {
      check.problems.add(evidence.log().refusals() + " reports were refused");
    }
    return check;
  }

  /// Number of tasks without a known end.
  static int open(Evidence evidence, List<Incident> incidents) {
    var check = new ResultCheck(evidence, incidents);
    int open = 0;
    for (int number = 0; number < evidence.workload().tasks(); number++) {
      boolean published = evidence.log().publishedAt(number) != ExecutionLog.NEVER;
      open += published && check.end(number).isEmpty() ? 1 : 0;
    }
    return open;
  }

  private void check(int number) {
    if (evidence.log().publishedAt(number) == ExecutionLog.NEVER) {
      ends.merge("not published", 1, Integer::sum);
      return;
    }
    Optional<String> end = end(number);
    end.ifPresent(name -> ends.merge(name, 1, Integer::sum));
    if (end.isEmpty()) {
      missing++;
      problem(number, "is missing: " + history(number));
    }
    checkEnds(number);
    checkRuns(number);
  }

  private Optional<String> end(int number) {
    boolean completed = evidence.log().acknowledged(Result.COMPLETE, number) > 0;
    boolean dead = evidence.letters().applyAsInt(number) > 0;
    End end = evidence.workload().kind(number).end;
    if (completed && end != End.DEAD_LETTER && end != End.DISCARDED) {
      return Optional.of("completed");
    }
    if (dead && (end == End.DEAD_LETTER || end == End.COMPLETED_OR_DEAD_LETTER)) {
      return Optional.of("dead-lettered");
    }
    if (end == End.DISCARDED && evidence.log().acknowledged(Result.FAIL, number) > 0) {
      return Optional.of("discarded");
    }
    if (end == End.COMPLETED_OR_DEMOTED && evidence.demoted().applyAsInt(number) > 0) {
      return Optional.of("demoted");
    }
    if (end == End.COMPLETED_OR_SWITCHED_OFF && mayBeSwitchedOff(number)) {
      return Optional.of("switched off");
    }
    if (evidence.unpublished().get(number)) {
      return Optional.of("not published");
    }
    return end != End.DEAD_LETTER && evidence.runs().isUnacknowledged(number)
        ? Optional.of("reported by a worker that died before the reply")
        : Optional.empty();
  }

  /// A task may have waited for long, so that any later rule may have ended it.
  private boolean mayBeSwitchedOff(int number) {
    long published = evidence.log().publishedAt(number);
    return incidents.stream()
        .anyMatch(incident ->
            incident.kind() == FaultKind.RULES && incident.end() + RULES_NANOS > published);
  }

  private void checkEnds(int number) {
    End end = evidence.workload().kind(number).end;
    boolean completed = evidence.log().acknowledged(Result.COMPLETE, number) > 0;
    int letters = evidence.letters().applyAsInt(number);
    int demoted = evidence.demoted().applyAsInt(number);
    if (letters > 0 && end != End.DEAD_LETTER && end != End.COMPLETED_OR_DEAD_LETTER) {
      problem(number, "is on the dead-letter topic");
    }
    if (demoted > 0 && end != End.COMPLETED_OR_DEMOTED) {
      problem(number, "is on the topic of demoted tasks");
    }
    int more = Math.max(0, letters - 1) + Math.max(0, demoted - 1);
    boolean twice = completed && letters + demoted > 0;
    copies += more;
    endedTwice += twice ? 1 : 0;
    if (more > 0 || twice) {
      long from = evidence.log().publishedAt(number);
      long until = Math.max(from, evidence.runs().lastStart(number)) + AFTERMATH_NANOS;
      if (incidents.stream().noneMatch(incident -> incident.touches(from, until, SECOND))) {
        problem(number, "came to an end twice, without a fault: " + history(number));
      }
    }
  }

  private void checkRuns(int number) {
    SoakTaskKind kind = evidence.workload().kind(number);
    long published = evidence.log().publishedAt(number);
    long first = evidence.runs().firstStart(number);
    if (first == Runs.NEVER) {
      return;
    }
    long last = evidence.runs().lastStart(number);
    long delay = TimeUnit.SECONDS.toNanos(evidence.workload().delaySeconds(number));
    if (first < published + delay - CLOCKS_NANOS) {
      problem(number, "ran %.3f s early".formatted((published + delay - first) / 1e9));
    }
    switch (kind) {
      case EXPIRED -> problem(number, "ran although it had expired");
      case EXPIRING -> {
        long late = last - published - Workload.EXPIRY_SECONDS * SECOND;
        if (late > SEND_NANOS) {
          problem(number, "ran %.3f s after its expiry".formatted(late / 1e9));
        }
      }
      case AT_MOST_ONCE -> {
        if (evidence.log().starts(number) > 1) {
          problem(number, "ran " + evidence.log().starts(number) + " times");
        }
      }
      case SWITCHED -> {
        if (ranSwitchedOff(first) || ranSwitchedOff(last)) {
          problem(number, "ran while it was switched off: " + history(number));
        }
      }
      case EXHAUSTED -> {
        if (evidence.letters().applyAsInt(number) > 0
            && evidence.runs().starts(number, Workload.MAX_ATTEMPTS - 1) == 0) {
          problem(number, "timed out too early");
        }
      }
      default -> {}
    }
  }

  private boolean ranSwitchedOff(long at) {
    return incidents.stream()
        .anyMatch(incident ->
            incident.kind() == FaultKind.RULES
                && at > incident.begin() + RULES_NANOS
                && at < incident.end());
  }

  private void check(Repeat repeat) {
    if (repeat.settled()) {
      problem(
          repeat.number(),
          "ran again %.1f s after the run before, although that was settled: %s"
              .formatted((repeat.at() - repeat.before()) / 1e9, history(repeat.number())));
      return;
    }
    String reason = reason(repeat);
    repeats.merge(reason.isEmpty() ? "without a reason" : reason, 1, Integer::sum);
    if (reason.isEmpty()) {
      problem(
          repeat.number(),
          "ran at %.1f s and again at %.1f s without a reason: %s"
              .formatted(repeat.before() / 1e9, repeat.at() / 1e9, history(repeat.number())));
    }
  }

  /// The first fault between the two executions that can repeat a task.
  private String reason(Repeat repeat) {
    if (evidence.workload().kind(repeat.number()) == SoakTaskKind.OVERRUNNING) {
      return "overran its deadline";
    }
    Application application = evidence.workload().application(repeat.number());
    return incidents.stream()
        .filter(incident ->
            incident.kind().restarts
                || incident.kind() == FaultKind.FREEZE
                || incident.kind() == FaultKind.WORKERS_GONE)
        .filter(incident -> incident.concerns(application))
        .filter(incident -> incident.touches(repeat.before(), repeat.at(), SECOND / 2))
        .findFirst()
        .map(incident -> incident.kind().toString())
        .orElse("");
  }

  private String history(int number) {
    ExecutionLog log = evidence.log();
    return "published at %.1f s, started last at %.1f s, started %d, finished %d, acknowledged: %d completed, %d retry, %d failed; %d dead letters, %d demoted"
        .formatted(
            log.publishedAt(number) / 1e9,
            Math.max(0, evidence.runs().lastStart(number)) / 1e9,
            log.starts(number),
            log.finishes(number),
            log.acknowledged(Result.COMPLETE, number),
            log.acknowledged(Result.RETRY, number),
            log.acknowledged(Result.FAIL, number),
            evidence.letters().applyAsInt(number),
            evidence.demoted().applyAsInt(number));
  }

  private void problem(int number, String what) {
    Workload workload = evidence.workload();
    problems.add(
        "task %d (%s of %s) %s"
            .formatted(number, workload.kind(number), workload.application(number), what));
  }

  /// All failed expectations; empty if there are none.
  List<String> problems() {
    return List.copyOf(problems);
  }

  /// Number of tasks by end.
  Map<String, Integer> ends() {
    return new TreeMap<>(ends);
  }

  /// Number of repeated executions by cause.
  Map<String, Integer> repeats() {
    return new TreeMap<>(repeats);
  }

  int missing() {
    return missing;
  }

  /// Number of tasks that were completed and also dead-lettered or demoted.
  int endedTwice() {
    return endedTwice;
  }

  /// Number of surplus copies of dead letters and demoted tasks.
  int copies() {
    return copies;
  }
}
