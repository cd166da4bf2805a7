package io.taskbroker.admin.web;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.json.JsonMapper;

/// Live figures as server-sent events: the trend, and the overview at most every second. All
/// streams share one overview, which is read only while somebody looks, and so rarely that reading
/// it takes at most 2 % of the time. Blocks the threads of its streams, never the engine.
/// Thread-safe: one lock.
final class LiveFeed {
  private static final Logger log = LoggerFactory.getLogger(LiveFeed.class);
  static final int MAX_STREAMS = 32;
  private static final Duration INTERVAL = Duration.ofSeconds(1);
  private static final long SHARE = 50;

  /// A stream ends before the server's limit for a connection; the browser opens the next one.
  private static final Duration LONGEST = Duration.ofSeconds(30);

  private final PageAccess access;
  private final Trend trend;
  private final JsonMapper json;
  private final Semaphore places = new Semaphore(MAX_STREAMS);
  private final CountDownLatch closed = new CountDownLatch(1);

  private Overview latest = new Overview(0, new byte[0]);
  private long takeAt = System.nanoTime();

  /// An overview.
  ///
  /// @param number one more for each
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Overview(long number, byte[] body) {}

  LiveFeed(PageAccess access, Trend trend, JsonMapper json) {
    this.access = access;
    this.trend = trend;
    this.json = json;
  }

  /// Whether there is room for another stream; then [#write] must follow.
  boolean reserve() {
    return places.tryAcquire();
  }

  int streams() {
    return MAX_STREAMS - places.availablePermits();
  }

  /// Writes events until the stream's time is over, the client is gone, or the server stops.
  void write(OutputStream out) throws IOException, InterruptedException {
    try {
      out.write("retry: 500\n\n".getBytes(UTF_8));
      long end = System.nanoTime() + LONGEST.toNanos();
      long sent = -1;
      long drawn = -1;
      boolean ended = false;
      while (!ended && System.nanoTime() - end < 0) {
        Overview next = current();
        if (next.number() != sent && next.body().length > 0) {
          event(out, "overview", next.body());
          sent = next.number();
        } else {
          // A comment, by which a client that is gone is noticed.
          out.write(":\n\n".getBytes(UTF_8));
          out.flush();
        }
        List<Trend.Point> points = trend.after(drawn);
        if (!points.isEmpty()) {
          event(out, "trend", json.writeValueAsBytes(points));
          drawn = points.getLast().at();
        }
        ended = closed.await(INTERVAL.toMillis(), TimeUnit.MILLISECONDS);
      }
    } finally {
      places.release();
    }
  }

  /// Ends all streams within a moment.
  void close() {
    closed.countDown();
  }

  private synchronized Overview current() throws InterruptedException {
    long start = System.nanoTime();
    if (start - takeAt >= 0) {
      try {
        latest = new Overview(latest.number() + 1, access.overview());
      } catch (RuntimeException e) {
        log.debug("No live figures: {}", e.toString());
      }
      long end = System.nanoTime();
      takeAt = end + Math.max(INTERVAL.toNanos() * 9 / 10, SHARE * (end - start));
    }
    return latest;
  }

  private static void event(OutputStream out, String name, byte[] data) throws IOException {
    out.write(("event: " + name + "\ndata: ").getBytes(UTF_8));
    out.write(data);
    out.write("\n\n".getBytes(UTF_8));
    out.flush();
  }
}
