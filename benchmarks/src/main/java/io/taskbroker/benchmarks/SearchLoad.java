package io.taskbroker.benchmarks;

import io.taskbroker.testkit.ExecutionLog;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// An operator who searches all tasks in flight once a second, through the admin API, in every
/// second period; the periods between are for comparison. A thread of its own; the figures are read
/// after it was closed.
final class SearchLoad implements AutoCloseable {
  private static final long PAUSE_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final long LONGEST_NANOS = TimeUnit.MINUTES.toNanos(1);

  /// A search that nothing matches reads everything.
  private static final String SEARCH = "/v1/tasks?taskname=no-such-task&limit=1&cursor=";

  private final HttpClient http = HttpClient.newHttpClient();
  private final JsonMapper json = JsonMapper.builder().build();
  private final String url;
  private final ExecutionLog log;
  private final long periodNanos;
  private final Thread thread = Thread.ofPlatform().name("searches").daemon().unstarted(this::run);
  private final Histogram searches = new Histogram(LONGEST_NANOS, 3);
  private final Period quiet = new Period();
  private final Period searching = new Period();
  private int failed;

  /// Sum of the periods of one kind.
  private static final class Period {
    private long nanos;
    private long tasks;

    private double rate() {
      return nanos == 0 ? 0 : tasks * 1e9 / nanos;
    }
  }

  SearchLoad(int adminPort, ExecutionLog log, Duration period) {
    this.url = "http://127.0.0.1:" + adminPort;
    this.log = log;
    this.periodNanos = period.toNanos();
  }

  void start() {
    thread.start();
  }

  private void run() {
    try {
      while (true) {
        during(quiet, _ -> TimeUnit.NANOSECONDS.sleep(periodNanos));
        during(searching, this::searchUntil);
      }
    } catch (InterruptedException _) {
      // A period that was cut short does not count.
    }
  }

  private interface Work {
    void until(long end) throws InterruptedException;
  }

  private void during(Period period, Work work) throws InterruptedException {
    long began = System.nanoTime();
    int before = log.completedTasks();
    work.until(began + periodNanos);
    period.tasks += log.completedTasks() - before;
    period.nanos += System.nanoTime() - began;
  }

  private void searchUntil(long end) throws InterruptedException {
    while (System.nanoTime() - end < 0) {
      long began = System.nanoTime();
      search();
      long took = System.nanoTime() - began;
      searches.recordValue(Math.min(took, LONGEST_NANOS));
      TimeUnit.NANOSECONDS.sleep(
          Math.max(0, Math.min(PAUSE_NANOS - took, end - System.nanoTime())));
    }
  }

  /// One search, to its last page.
  private void search() throws InterruptedException {
    String cursor = "";
    do {
      try {
        HttpResponse<byte[]> page =
            http.send(
                HttpRequest.newBuilder(URI.create(url + SEARCH + cursor)).build(),
                HttpResponse.BodyHandlers.ofByteArray());
        JsonNode answer = json.readTree(page.body());
        failed += page.statusCode() == 200 ? 0 : 1;
        cursor = answer.path("cursor").asString("");
      } catch (IOException _) {
        failed++;
        return;
      }
    } while (!cursor.isEmpty());
  }

  /// Ends the searches.
  @Override
  public void close() throws InterruptedException {
    thread.interrupt();
    thread.join();
    http.shutdownNow();
  }

  Map<String, Object> figures() {
    var figures = new LinkedHashMap<String, Object>();
    figures.put("searches", searches.getTotalCount());
    figures.put("failed", failed);
    figures.put("ms_p50", Summary.round(searches.getValueAtPercentile(50) / 1e6));
    figures.put("ms_max", Summary.round(searches.getMaxValue() / 1e6));
    figures.put("tasks_per_second_without", Summary.round(quiet.rate()));
    figures.put("tasks_per_second_with", Summary.round(searching.rate()));
    figures.put(
        "drop_percent",
        quiet.rate() == 0
            ? 0
            : Summary.round(100 * Math.max(0, 1 - searching.rate() / quiet.rate())));
    return figures;
  }
}
