package io.taskbroker.admin;

import io.taskbroker.inflight.api.EngineStats;
import io.taskbroker.store.RowBrowser;
import io.taskbroker.store.RowGroups;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Tasks in flight by application, namespace or task name: rows of the store, with the engine's
/// figures and rates. Rows are counted at most every [#LEAST_AGE], and never for more than a
/// twentieth of the time. Thread-safe: one lock, held while rows are counted.
final class Backlogs {
  private static final Duration LEAST_AGE = Duration.ofSeconds(5);
  private static final int SHARE = 20;
  private static final int MAX_GROUPS = 500;

  private final RowBrowser rows;
  private final Rates rates;
  private final InstantSource clock = InstantSource.system();
  private @Nullable Counted counted;

  private record Counted(RowGroups groups, Instant at, long countAgainNanos) {}

  Backlogs(RowBrowser rows, Rates rates) {
    this.rows = rows;
    this.rates = rates;
  }

  /// Field by which tasks are grouped.
  enum By {
    APPLICATION,
    NAMESPACE,
    TASK
  }

  /// @throws ApiProblem 503 if the rows cannot be counted now
  Views.Backlog view(By by, EngineStats stats) {
    Counted now = counted();
    Map<List<String>, Sum> sums = new TreeMap<>(Comparator.comparing(List::toString));
    for (RowGroups.Group group : now.groups().groups()) {
      sum(sums, by, group.application(), group.namespace(), group.taskname()).add(group);
    }
    for (EngineStats.Task task : stats.tasks()) {
      Sum sum = sum(sums, by, task.application(), task.namespace(), task.taskname());
      sum.add(task, rates.of(new Rates.Name(task.application(), task.taskname())));
    }
    List<Views.BacklogGroup> groups =
        sums.values().stream()
            .map(sum -> sum.view(now.at()))
            .sorted(Comparator.comparingLong(Views.BacklogGroup::tasks).reversed())
            .toList();
    return new Views.Backlog(
        by.name().toLowerCase(Locale.ROOT),
        now.at(),
        now.groups().complete(),
        now.groups().others(),
        rates.seconds(),
        groups.size() > MAX_GROUPS,
        groups.stream().limit(MAX_GROUPS).toList());
  }

  private synchronized Counted counted() {
    Counted known = counted;
    long started = System.nanoTime();
    if (known != null && started - known.countAgainNanos() < 0) {
      return known;
    }
    Instant at = clock.instant();
    RowGroups groups = counting(() -> rows.groups(TaskSearch.WITHIN));
    long ended = System.nanoTime();
    long wait = Math.max(LEAST_AGE.toNanos(), SHARE * (ended - started));
    var fresh = new Counted(groups, at, ended + wait);
    counted = fresh;
    return fresh;
  }

  private static RowGroups counting(Supplier<RowGroups> count) {
    try {
      return count.get();
    } catch (RowBrowser.SearchTimeout e) {
      throw ApiProblem.unavailable(String.valueOf(e.getMessage()));
    }
  }

  private Sum sum(
      Map<List<String>, Sum> sums, By by, String application, String namespace, String taskname) {
    List<String> name = new ArrayList<>(List.of(application));
    if (by != By.APPLICATION) {
      name.add(namespace);
    }
    if (by == By.TASK) {
      name.add(taskname);
    }
    return sums.computeIfAbsent(name, Sum::new);
  }

  /// Figures of one group. Confined to one request.
  private final class Sum {
    private final List<String> name;
    private long tasks;
    private long parked;
    private long oldest = Long.MAX_VALUE;
    private int pending;
    private int delayed;
    private int processing;
    private Rates.Totals totals = Rates.Totals.NONE;

    private Sum(List<String> name) {
      this.name = name;
    }

    private void add(RowGroups.Group group) {
      tasks += group.tasks();
      parked += group.parked();
      oldest = Math.min(oldest, group.oldest());
    }

    private void add(EngineStats.Task task, Rates.Totals more) {
      pending += task.pending();
      delayed += task.delayed();
      processing += task.claimed() + task.processing();
      totals = totals.plus(more);
    }

    private Views.BacklogGroup view(Instant at) {
      long ended = totals.completed() + totals.failed() + totals.retried();
      return new Views.BacklogGroup(
          name.getFirst(),
          name.size() > 1 ? Optional.of(name.get(1)) : Optional.empty(),
          name.size() > 2 ? Optional.of(name.get(2)) : Optional.empty(),
          tasks,
          pending,
          delayed,
          parked,
          processing,
          oldest == Long.MAX_VALUE
              ? Optional.empty()
              : Optional.of(Math.max(0, at.toEpochMilli() - oldest) / 1_000.0),
          rates.view(totals),
          ended == 0
              ? Optional.empty()
              : Optional.of((double) (totals.failed() + totals.retried()) / ended));
    }
  }
}
