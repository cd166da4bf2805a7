package io.taskbroker.telemetry;

import io.taskbroker.runtime.FailureSink;
import io.taskbroker.runtime.LoopThread;
import io.taskbroker.runtime.Service;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Reporter of all metrics to statsd, once a second and when it stops (reference-spec 10). Its cost
/// does not grow with the number of events (W46).
public final class StatsdReporter implements Service {
  private static final Logger log = LoggerFactory.getLogger(StatsdReporter.class);
  private static final long PERIOD_NANOS = 1_000_000_000;

  private final StatsdLines lines;
  private final StatsdSocket socket;
  private final LoopThread thread;
  private long nextAt;

  /// @param target may be unresolved
  /// @param defaultTags added to every metric
  public StatsdReporter(
      Metrics metrics,
      InetSocketAddress target,
      Map<String, String> defaultTags,
      FailureSink failures) {
    this.lines = new StatsdLines(metrics, defaultTags);
    this.socket = new StatsdSocket(target);
    this.thread = new LoopThread("statsd", new ReportLoop(), failures);
  }

  @Override
  public String name() {
    return "statsd reporter";
  }

  @Override
  public void start() {
    nextAt = System.nanoTime() + PERIOD_NANOS;
    thread.start();
  }

  @Override
  public void stop() {
    thread.stop(Duration.ofMillis(500));
  }

  /// Number of dropped datagrams.
  public long dropped() {
    return socket.dropped();
  }

  private void report() {
    socket.begin();
    try {
      lines.write(socket::add);
    } catch (RuntimeException e) {
      log.warn("Cannot send metrics to statsd; retrying in a second", e);
    }
    socket.flush();
  }

  private final class ReportLoop implements LoopThread.Loop {
    @Override
    public void turn() throws InterruptedException {
      TimeUnit.NANOSECONDS.sleep(nextAt - System.nanoTime());
      report();
      nextAt = Math.max(nextAt + PERIOD_NANOS, System.nanoTime());
    }

    @Override
    public void end() {
      report();
      socket.close();
    }
  }
}
