package io.taskbroker.admin;

import io.taskbroker.inflight.api.EngineStats;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Rates of the outcomes of tasks over about the last minute, from samples of the engine's
/// counters. Thread-safe: one lock.
final class Rates {
  private static final int KEPT = 13;

  /// Samples closer than this take each other's place, so that many readers do not shorten the
  /// time.
  private static final long LEAST_NANOS = 4_000_000_000L;

  private final ArrayDeque<Sample> samples = new ArrayDeque<>();

  private record Sample(long nanos, Map<Name, Totals> totals) {}

  /// Application and task name.
  record Name(String application, String taskname) {}

  /// Outcomes since the start.
  record Totals(long completed, long failed, long retried, long deadLettered) {
    static final Totals NONE = new Totals(0, 0, 0, 0);

    Totals plus(Totals other) {
      return new Totals(
          completed + other.completed,
          failed + other.failed,
          retried + other.retried,
          deadLettered + other.deadLettered);
    }
  }

  /// Outcomes of all task names since the start.
  static Totals total(EngineStats stats) {
    return stats.tasks().stream().map(Rates::totals).reduce(Totals.NONE, Totals::plus);
  }

  private static Totals totals(EngineStats.Task task) {
    return new Totals(task.completed(), task.failed(), task.retried(), task.deadLettered());
  }

  /// Adds a sample.
  synchronized void add(EngineStats stats, long nanos) {
    Map<Name, Totals> totals = new HashMap<>();
    for (EngineStats.Task task : stats.tasks()) {
      totals.put(new Name(task.application(), task.taskname()), totals(task));
    }
    @Nullable Sample last = samples.pollLast();
    @Nullable Sample before = samples.peekLast();
    if (last != null && (before == null || last.nanos() - before.nanos() >= LEAST_NANOS)) {
      samples.addLast(last);
    }
    if (samples.size() == KEPT) {
      samples.removeFirst();
    }
    samples.addLast(new Sample(nanos, totals));
  }

  /// Seconds between the first and the last sample; 0 if there is only one.
  synchronized double seconds() {
    return samples.size() < 2 ? 0 : (samples.getLast().nanos() - samples.getFirst().nanos()) / 1e9;
  }

  /// Outcomes within [#seconds] as outcomes a second.
  synchronized Views.Rate view(Totals totals) {
    double seconds = seconds();
    double by = seconds == 0 ? 1 : seconds;
    return new Views.Rate(
        totals.completed() / by,
        totals.failed() / by,
        totals.retried() / by,
        totals.deadLettered() / by,
        seconds);
  }

  /// Outcomes of a name within [#seconds].
  synchronized Totals of(Name name) {
    @Nullable Sample first = samples.peekFirst();
    @Nullable Sample last = samples.peekLast();
    if (first == null || last == null || samples.size() < 2) {
      return Totals.NONE;
    }
    Totals before = first.totals().getOrDefault(name, Totals.NONE);
    Totals now = last.totals().getOrDefault(name, Totals.NONE);
    return new Totals(
        now.completed() - before.completed(),
        now.failed() - before.failed(),
        now.retried() - before.retried(),
        now.deadLettered() - before.deadLettered());
  }
}
