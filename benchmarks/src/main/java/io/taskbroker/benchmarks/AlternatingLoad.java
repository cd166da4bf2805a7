package io.taskbroker.benchmarks;

import io.taskbroker.testkit.ExecutionLog;
import java.net.http.HttpClient;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;

/// An operator who uses the admin API in every second period; the periods between are for
/// comparison. The rate of the first period does not count, in which the compiler meets the code of
/// the admin API; the time of its uses does. A thread of its own; the figures are read after its
/// end.
abstract class AlternatingLoad {
  static final Duration TIMEOUT = Duration.ofSeconds(10);
  private static final long LONGEST_NANOS = TimeUnit.MINUTES.toNanos(1);

  final HttpClient http =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(TIMEOUT).build();
  final String url;
  private final ExecutionLog log;
  private final long intervalNanos;
  private final long periodNanos;
  private final Thread thread;
  private final Histogram uses = new Histogram(LONGEST_NANOS, 3);
  private final Period quiet = new Period();
  private final Period busy = new Period();
  private final CountDownLatch ended = new CountDownLatch(1);
  private int failed;

  /// Sum of the periods of one kind.
  private static final class Period {
    private long nanos;
    private long tasks;

    private double rate() {
      return nanos == 0 ? 0 : tasks * 1e9 / nanos;
    }
  }

  /// @param name of the thread
  /// @param interval from the begin of a use to that of the next one
  AlternatingLoad(
      String name, int adminPort, ExecutionLog log, Duration interval, Duration period) {
    this.url = "http://127.0.0.1:" + adminPort;
    this.log = log;
    this.intervalNanos = interval.toNanos();
    this.periodNanos = period.toNanos();
    this.thread = Thread.ofPlatform().name(name).daemon().unstarted(this::run);
  }

  /// One use.
  ///
  /// @return whether everything was answered as it should be
  abstract boolean use() throws InterruptedException;

  /// Ends what uses have left open.
  void pause() {}

  final void start() {
    thread.start();
  }

  private void run() {
    try {
      useUntil(System.nanoTime() + periodNanos);
      pause();
      // Quiet, busy, busy, quiet: a rate that rises over the run favours neither.
      for (boolean quietFirst = true; ended.getCount() > 0; quietFirst = !quietFirst) {
        if (quietFirst) {
          during(quiet, this::waitUntil);
        }
        during(busy, this::useUntil);
        pause();
        if (!quietFirst) {
          during(quiet, this::waitUntil);
        }
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private interface Work {
    void until(long end) throws InterruptedException;
  }

  /// A period that is cut short does not count.
  private void during(Period period, Work work) throws InterruptedException {
    long began = System.nanoTime();
    int before = log.completedTasks();
    work.until(began + periodNanos);
    if (ended.getCount() > 0) {
      period.tasks += log.completedTasks() - before;
      period.nanos += System.nanoTime() - began;
    }
  }

  private void waitUntil(long time) throws InterruptedException {
    boolean _ = ended.await(Math.max(0, time - System.nanoTime()), TimeUnit.NANOSECONDS);
  }

  private void useUntil(long end) throws InterruptedException {
    while (ended.getCount() > 0 && System.nanoTime() - end < 0) {
      long began = System.nanoTime();
      failed += use() ? 0 : 1;
      uses.recordValue(Math.min(System.nanoTime() - began, LONGEST_NANOS));
      waitUntil(Math.min(began + intervalNanos, end));
    }
  }

  /// Ends the uses, after the one that runs.
  final void end() throws InterruptedException {
    ended.countDown();
    thread.join();
    http.shutdownNow();
  }

  /// Figures, with the number of uses under a name.
  Map<String, Object> figures(String number) {
    var figures = new LinkedHashMap<String, Object>();
    figures.put(number, uses.getTotalCount());
    figures.put("failed", failed);
    figures.put("ms_p50", Summary.round(uses.getValueAtPercentile(50) / 1e6));
    figures.put("ms_max", Summary.round(uses.getMaxValue() / 1e6));
    figures.put("tasks_per_second_without", Summary.round(quiet.rate()));
    figures.put("tasks_per_second_with", Summary.round(busy.rate()));
    figures.put(
        "drop_percent",
        quiet.rate() == 0 ? 0 : Summary.round(100 * Math.max(0, 1 - busy.rate() / quiet.rate())));
    return figures;
  }
}
