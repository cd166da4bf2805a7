package io.taskbroker.testkit;

import io.taskbroker.testkit.Behaviour.Result;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.IntStream;

/// Record of each logical task, numbered from 0: publication, executions, and reports that the
/// broker acknowledged. A retry is the same logical task under another id. Thread-safe; reads while
/// workers run are a snapshot.
///
/// Times are nanoseconds since the log was created; [#NEVER] if the event has not happened.
public final class ExecutionLog {
  public static final long NEVER = 0;

  private final long origin = System.nanoTime() - 1;
  private final int tasks;
  private final AtomicIntegerArray starts;
  private final AtomicIntegerArray finishes;
  private final AtomicIntegerArray completions;
  private final AtomicIntegerArray retries;
  private final AtomicIntegerArray failures;
  private final AtomicLongArray published;
  private final AtomicLongArray delivered;
  private final AtomicLongArray finished;
  private final AtomicLongArray completed;
  private final AtomicInteger completedTasks = new AtomicInteger();
  private final LongAdder allStarts = new LongAdder();
  private final LongAdder allFinishes = new LongAdder();
  private final LongAdder allAcknowledged = new LongAdder();
  private final LongAdder allRefused = new LongAdder();
  private final LongAdder strangers = new LongAdder();

  public ExecutionLog(int tasks) {
    this.tasks = tasks;
    starts = new AtomicIntegerArray(tasks);
    finishes = new AtomicIntegerArray(tasks);
    completions = new AtomicIntegerArray(tasks);
    retries = new AtomicIntegerArray(tasks);
    failures = new AtomicIntegerArray(tasks);
    published = new AtomicLongArray(tasks);
    delivered = new AtomicLongArray(tasks);
    finished = new AtomicLongArray(tasks);
    completed = new AtomicLongArray(tasks);
  }

  public int tasks() {
    return tasks;
  }

  /// Records that the task is about to be published.
  public void published(int number) {
    if (knows(number)) {
      published.set(number, now());
    }
  }

  /// Records the scheduled publication time of the task.
  ///
  /// @param nanoTime on the clock of [System#nanoTime]
  public void due(int number, long nanoTime) {
    if (knows(number)) {
      published.set(number, Math.max(1, nanoTime - origin));
    }
  }

  /// Records the start of an execution and returns how many have started so far; 1 for an unknown
  /// task.
  public int started(int number) {
    allStarts.increment();
    if (!knows(number)) {
      strangers.increment();
      return 1;
    }
    int count = starts.incrementAndGet(number);
    if (count == 1) {
      delivered.set(number, now());
    }
    return count;
  }

  public void finished(int number) {
    allFinishes.increment();
    if (knows(number) && finishes.incrementAndGet(number) == 1) {
      finished.set(number, now());
    }
  }

  /// Records that the broker acknowledged a report.
  public void acknowledged(int number, Result result) {
    allAcknowledged.increment();
    if (!knows(number)) {
      return;
    }
    if (counts(result).incrementAndGet(number) == 1 && result == Result.COMPLETE) {
      completed.set(number, now());
      completedTasks.incrementAndGet();
    }
  }

  /// Records that the broker refused a report for good.
  void refused() {
    allRefused.increment();
  }

  public int starts(int number) {
    return starts.get(number);
  }

  public int finishes(int number) {
    return finishes.get(number);
  }

  /// Number of acknowledged reports with this result.
  public int acknowledged(Result result, int number) {
    return counts(result).get(number);
  }

  public long publishedAt(int number) {
    return published.get(number);
  }

  /// Start of the first execution.
  public long deliveredAt(int number) {
    return delivered.get(number);
  }

  /// End of the first execution.
  public long finishedAt(int number) {
    return finished.get(number);
  }

  /// Acknowledgement of the first report of completion.
  public long completedAt(int number) {
    return completed.get(number);
  }

  /// Tasks of which no completion was acknowledged, in order.
  public List<Integer> incomplete() {
    return IntStream.range(0, tasks)
        .filter(number -> completedAt(number) == NEVER)
        .boxed()
        .toList();
  }

  /// Number of logical tasks completed and acknowledged.
  public int completedTasks() {
    return completedTasks.get();
  }

  public long starts() {
    return allStarts.sum();
  }

  public long finishes() {
    return allFinishes.sum();
  }

  public long acknowledged() {
    return allAcknowledged.sum();
  }

  /// Number of reports that the broker refused for good.
  public long refusals() {
    return allRefused.sum();
  }

  /// Number of executions without a task in this log.
  public long strangers() {
    return strangers.sum();
  }

  private AtomicIntegerArray counts(Result result) {
    return switch (result) {
      case COMPLETE -> completions;
      case RETRY -> retries;
      case FAIL -> failures;
      case NO_REPORT -> throw new IllegalArgumentException("NO_REPORT is not a report");
    };
  }

  private boolean knows(int number) {
    return number >= 0 && number < tasks;
  }

  /// Current time on the clock of this log.
  public long now() {
    return System.nanoTime() - origin;
  }
}
