package io.taskbroker.benchmarks;

import io.taskbroker.benchmarks.EndToEnd.Outcome;
import io.taskbroker.benchmarks.ProcessUsage.Usage;
import io.taskbroker.testkit.ExecutionLog;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.LongBinaryOperator;
import org.HdrHistogram.Histogram;

/// Figures of an end-to-end run: of the whole run, and of its steady state, the second half. Times
/// are microseconds unless the name says otherwise.
final class Summary {
  private static final long LONGEST_NANOS = 3_600_000_000_000L;
  private static final int DIGITS = 3;

  private final Outcome outcome;
  private final Map<String, Object> figures = new LinkedHashMap<>();

  private Summary(Outcome outcome) {
    this.outcome = outcome;
  }

  static Map<String, Object> of(Outcome outcome) {
    var summary = new Summary(outcome);
    summary.counts();
    summary.rates();
    summary.costs();
    summary.latencies();
    if (!outcome.searches().isEmpty()) {
      summary.figures.put("search", outcome.searches());
    }
    if (!outcome.page().isEmpty()) {
      summary.figures.put("page", outcome.page());
    }
    summary.figures.put("completed_by_second", outcome.completedBySecond());
    summary.deliveries();
    summary.figures.put(
        "resident_mb_by_second", outcome.resident().stream().map(Summary::megabytes).toList());
    return summary.figures;
  }

  private void counts() {
    ExecutionLog log = outcome.log();
    int completed = 0;
    long duplicates = 0;
    for (int number = 0; number < outcome.published(); number++) {
      if (log.completedAt(number) != ExecutionLog.NEVER) {
        completed++;
      }
      duplicates += Math.max(0, log.starts(number) - 1);
    }
    figures.put("published", outcome.published());
    figures.put("completed", completed);
    figures.put("lost", outcome.published() - completed);
    figures.put("duplicates", duplicates);
    figures.put("exit_code", outcome.exitCode());
  }

  private void rates() {
    RunSnapshot begin = outcome.begin();
    RunSnapshot middle = outcome.middle();
    RunSnapshot end = outcome.end();
    figures.put("seconds", round(end.secondsSince(begin)));
    figures.put("tasks_per_second", round(end.completed() / end.secondsSince(begin)));
    figures.put(
        "steady_tasks_per_second",
        round((end.completed() - middle.completed()) / end.secondsSince(middle)));
    if (outcome.completedBySecond().size() >= 15) {
      figures.put("first_15s_tasks_per_second", round(outcome.completedBySecond().get(14) / 15.0));
    }
  }

  private void costs() {
    RunSnapshot middle = outcome.middle();
    RunSnapshot end = outcome.end();
    int tasks = Math.max(1, end.completed() - middle.completed());
    double seconds = end.secondsSince(middle);
    Usage broker = end.broker().since(middle.broker());
    figures.put("broker_cpu_us_per_task", perTask(broker.cpuNanos(), tasks));
    figures.put(
        "broker_cpu_us_per_task_without_jit",
        perTask(broker.cpuNanos() - broker.jitNanos(), tasks));
    figures.put("broker_cores", round(broker.cpuNanos() / 1e9 / seconds));
    figures.put(
        "broker_cores_without_jit", round((broker.cpuNanos() - broker.jitNanos()) / 1e9 / seconds));
    figures.put("kafka_cpu_us_per_task", cpu(end.kafka().since(middle.kafka()), tasks));
    figures.put("load_cpu_us_per_task", cpu(end.load().since(middle.load()), tasks));
    figures.put("broker_cpu_us_per_task_by_thread", byThread(broker.threads(), tasks, 1e3));
    figures.put(
        "load_cpu_us_per_task_by_thread",
        byThread(end.load().since(middle.load()).threads(), tasks, 1e3));
    figures.put("written_bytes_per_task", round((double) broker.writtenBytes() / tasks));
    figures.put("write_calls_per_task", round((double) broker.writeCalls() / tasks));
    figures.put("sleeps_per_task", round((double) broker.sleeps() / tasks));
    outcome
        .fsyncs()
        .ifPresent(count -> {
          figures.put("fsyncs_per_second", round(count / seconds));
          figures.put("fsyncs_per_task", round((double) count / tasks));
        });
    double commits = increase(Scrape.COMMITS);
    if (commits > 0) {
      figures.put("transactions_per_second", round(commits / seconds));
      figures.put("changes_per_transaction", round(increase(Scrape.CHANGES) / commits));
      figures.put("statements_per_task", round((increase(Scrape.CHANGES) + commits) / tasks));
    }
    Long all = end.allocated().get("all");
    if (all != null) {
      var allocated = new LinkedHashMap<String, Long>();
      end.allocated()
          .forEach((thread, bytes) ->
              allocated.put(thread, bytes - middle.allocated().getOrDefault(thread, 0L)));
      figures.put(
          "allocated_bytes_per_task",
          round((double) (all - middle.allocated().getOrDefault("all", 0L)) / tasks));
      allocated.remove("all");
      figures.put("allocated_bytes_per_task_by_thread", byThread(allocated, tasks, 1));
    }
    figures.put("resident_mb", megabytes(end.broker().residentBytes()));
    figures.put("peak_resident_mb", megabytes(outcome.peakResident()));
  }

  private double increase(String metric) {
    return outcome.end().metrics().getOrDefault(metric, 0.0)
        - outcome.middle().metrics().getOrDefault(metric, 0.0);
  }

  /// Latencies of tasks published in the second half; of all tasks, with a backlog.
  private void latencies() {
    ExecutionLog log = outcome.log();
    int from = outcome.scenario().offer().backlog() > 0 ? 0 : outcome.middle().completed();
    figures.put("delivery_us", percentiles(from, log::publishedAt, log::deliveredAt));
    figures.put("report_us", percentiles(from, log::finishedAt, log::completedAt));
  }

  /// Median delivery time by second of publication: how long a cold broker takes to be as fast as a
  /// warm one. Of a run at a rate only: otherwise it is the length of the queue.
  private void deliveries() {
    if (outcome.scenario().offer().rate() == 0) {
      return;
    }
    ExecutionLog log = outcome.log();
    var medians = new ArrayList<Long>();
    var second = new Histogram(LONGEST_NANOS, DIGITS);
    for (int number = 0; number < outcome.published(); number++) {
      long since = log.publishedAt(number) - log.publishedAt(0);
      if (TimeUnit.NANOSECONDS.toSeconds(since) > medians.size()) {
        medians.add(Math.round(second.getValueAtPercentile(50) / 1e3));
        second.reset();
      }
      if (log.deliveredAt(number) != ExecutionLog.NEVER) {
        long waited = log.deliveredAt(number) - log.publishedAt(number);
        second.recordValue(Math.clamp(waited, 0, LONGEST_NANOS));
      }
    }
    figures.put("delivery_us_p50_by_second", medians);
  }

  private Map<String, Object> percentiles(int from, Time begin, Time end) {
    var histogram = new Histogram(LONGEST_NANOS, DIGITS);
    LongBinaryOperator clamp = (a, b) -> Math.clamp(b - a, 0, LONGEST_NANOS);
    for (int number = from; number < outcome.published(); number++) {
      long began = begin.of(number);
      long ended = end.of(number);
      if (began != ExecutionLog.NEVER && ended != ExecutionLog.NEVER) {
        histogram.recordValue(clamp.applyAsLong(began, ended));
      }
    }
    var values = new LinkedHashMap<String, Object>();
    for (double percentile : new double[] {50, 90, 99, 99.9, 100}) {
      String name = percentile == 100 ? "max" : "p" + String.valueOf(percentile).replace(".0", "");
      values.put(name, Math.round(histogram.getValueAtPercentile(percentile) / 1e3));
    }
    values.put("count", histogram.getTotalCount());
    return values;
  }

  private static Map<String, Object> byThread(Map<String, Long> used, int tasks, double unit) {
    var shares = new LinkedHashMap<String, Object>();
    used.entrySet().stream()
        .sorted(Map.Entry.<String, Long>comparingByValue().reversed())
        .filter(each -> each.getValue() / unit / tasks >= 0.05)
        .forEach(each -> shares.put(each.getKey(), round(each.getValue() / unit / tasks)));
    return shares;
  }

  private static double cpu(Usage usage, int tasks) {
    return perTask(usage.cpuNanos(), tasks);
  }

  private static double perTask(long nanos, int tasks) {
    return round(nanos / 1e3 / tasks);
  }

  private static long megabytes(long bytes) {
    return bytes / 1_000_000;
  }

  /// Rounds to three digits, the most that is meaningful.
  static double round(double value) {
    if (value == 0 || Double.isNaN(value) || Double.isInfinite(value)) {
      return 0;
    }
    double scale = Math.pow(10, 3 - Math.ceil(Math.log10(Math.abs(value))));
    return Math.abs(value) >= 1000 ? Math.round(value) : Math.round(value * scale) / scale;
  }

  private interface Time {
    long of(int number);
  }
}
