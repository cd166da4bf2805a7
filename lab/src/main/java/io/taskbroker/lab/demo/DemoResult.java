package io.taskbroker.lab.demo;

import io.taskbroker.lab.rig.TaskReader;
import io.taskbroker.testkit.Behaviour.Result;
import io.taskbroker.testkit.ExecutionLog;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;

/// Check of every task's outcome against the plan: each was completed by an acknowledged report, is
/// on the dead-letter topic, or had expired; none ran that should not, and none ran again without a
/// reason.
final class DemoResult {
  private static final long MAX_LATENCY_NANOS = TimeUnit.HOURS.toNanos(1);
  private static final long CLOCK_TOLERANCE_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

  private final DemoPlan plan;
  private final ExecutionLog log;
  private final TaskReader letters;
  private final List<String> problems = new ArrayList<>();
  private final Histogram latency = new Histogram(MAX_LATENCY_NANOS, 3);
  private int completed;
  private int retried;
  private int deadLettered;
  private int expired;
  private int overrun;
  private int ranAgain;
  private int lost;
  private long firstPublished = Long.MAX_VALUE;
  private long lastCompleted;

  DemoResult(DemoPlan plan, ExecutionLog log, TaskReader letters) {
    this.plan = plan;
    this.log = log;
    this.letters = letters;
    for (int number = 0; number < plan.tasks(); number++) {
      check(number);
    }
    if (log.strangers() + letters.strangers() > 0) {
      problems.add(
          "%d deliveries and %d dead letters belong to no task"
              .formatted(log.strangers(), letters.strangers()));
    }
    if (log.refusals() > 0) {
      problems.add(log.refusals() + " reports were refused");
    }
  }

  private void check(int number) {
    DemoTaskKind kind = plan.kind(number);
    int completions = log.acknowledged(Result.COMPLETE, number);
    int retries = log.acknowledged(Result.RETRY, number);
    int starts = log.starts(number);
    boolean ended =
        switch (kind) {
          case PLAIN, DELAYED, AT_MOST_ONCE, OVERRUNNING -> completions > 0;
          case RETRIED -> completions > 0 && retries > 0;
          case FAILING -> letters.count(number) > 0 && log.acknowledged(Result.FAIL, number) > 0;
          case EXPIRED -> starts == 0;
        };
    completed += completions > 0 ? 1 : 0;
    retried += retries > 0 ? 1 : 0;
    deadLettered += letters.count(number) > 0 ? 1 : 0;
    expired += kind == DemoTaskKind.EXPIRED && starts == 0 ? 1 : 0;
    int expectedStarts = expectedStarts(kind);
    if (!ended && kind != DemoTaskKind.EXPIRED) {
      lost++;
      problem(number, "is missing: " + history(number));
    } else if (starts != expectedStarts) {
      problem(number, "ran %d times, not %d".formatted(starts, expectedStarts));
    }
    if (kind == DemoTaskKind.OVERRUNNING && starts > 1) {
      overrun++;
    } else if (starts > expectedStarts) {
      ranAgain++;
    }
    if (kind != DemoTaskKind.FAILING && letters.count(number) > 0) {
      problem(number, "is on the dead-letter topic");
    }
    checkTime(number, kind);
  }

  private static int expectedStarts(DemoTaskKind kind) {
    return switch (kind) {
      case PLAIN, DELAYED, AT_MOST_ONCE, FAILING -> 1;
      case RETRIED, OVERRUNNING -> 2;
      case EXPIRED -> 0;
    };
  }

  private void checkTime(int number, DemoTaskKind kind) {
    long published = log.publishedAt(number);
    if (published == ExecutionLog.NEVER) {
      return;
    }
    firstPublished = Math.min(firstPublished, published);
    if (kind == DemoTaskKind.PLAIN) {
      lastCompleted = Math.max(lastCompleted, log.completedAt(number));
    }
    if (log.deliveredAt(number) == ExecutionLog.NEVER) {
      return;
    }
    long waited = log.deliveredAt(number) - published;
    if (kind == DemoTaskKind.DELAYED) {
      long delay = TimeUnit.SECONDS.toNanos(plan.delaySeconds(number));
      if (waited < delay - CLOCK_TOLERANCE_NANOS) {
        problem(number, "ran %.3f s early".formatted((delay - waited) / 1e9));
      }
    } else {
      latency.recordValue(Math.clamp(waited, 0, MAX_LATENCY_NANOS));
    }
  }

  private String history(int number) {
    if (log.publishedAt(number) == ExecutionLog.NEVER) {
      return "never published";
    }
    return "started %d, finished %d, acknowledged: %d completed, %d retry, %d failed; %d dead letters"
        .formatted(
            log.starts(number),
            log.finishes(number),
            log.acknowledged(Result.COMPLETE, number),
            log.acknowledged(Result.RETRY, number),
            log.acknowledged(Result.FAIL, number),
            letters.count(number));
  }

  private void problem(int number, String what) {
    problems.add("task %d (%s) %s".formatted(number, plan.kind(number), what));
  }

  /// All failed expectations; empty if there are none.
  List<String> problems() {
    return problems;
  }

  /// Adds a problem found elsewhere, ahead of those of single tasks.
  void add(String problem) {
    problems.addFirst(problem);
  }

  /// Summary table, printed at the end.
  String table() {
    double seconds = Math.max(1, lastCompleted - firstPublished) / 1e9;
    return """
    produced             %,10d
    completed            %,10d
    retried              %,10d   of %,d that asked for it, each run twice
    delayed              %,10d   by 1 to 3 s
    at most once         %,10d
    dead-lettered        %,10d   of %,d that failed for good
    expired              %,10d   of %,d, never run
    delivered again      %,10d   overran their deadline: %,d, without a reason: %,d
    lost                 %,10d

    throughput           %,10.0f   tasks/s from a cold start (plain tasks, first publish to last report)
    delivery latency     %,10.1f   ms p50, from publish to first delivery
                         %,10.1f   ms p99
    """
        .formatted(
            plan.tasks(),
            completed,
            retried,
            plan.count(DemoTaskKind.RETRIED),
            plan.count(DemoTaskKind.DELAYED),
            plan.count(DemoTaskKind.AT_MOST_ONCE),
            deadLettered,
            plan.count(DemoTaskKind.FAILING),
            expired,
            plan.count(DemoTaskKind.EXPIRED),
            overrun + ranAgain,
            overrun,
            ranAgain,
            lost,
            lastCompleted == 0 ? 0.0 : plan.count(DemoTaskKind.PLAIN) / seconds,
            latency.getValueAtPercentile(50) / 1e6,
            latency.getValueAtPercentile(99) / 1e6);
  }
}
