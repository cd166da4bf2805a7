package io.taskbroker.lab.soak;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/// Sampler of the broker's process, once a second on its own thread; prints the progress every ten
/// seconds. The samples may be read by any thread.
final class ProcessMonitor implements AutoCloseable {
  private static final long PERIOD_MILLIS = 1_000;
  private static final int LINE_EVERY = 10;
  private static final long STOP_MILLIS = 5_000;

  private final RestartableBroker broker;
  private final Runs clock;
  private final SoakSetting setting;
  private final Supplier<String> progress;
  private final PrintWriter out;
  private final CountDownLatch closed = new CountDownLatch(1);
  private final List<Sample> samples = new ArrayList<>();
  private final Thread thread;

  /// @param progress text for the progress line
  ProcessMonitor(
      RestartableBroker broker,
      Runs clock,
      SoakSetting setting,
      Supplier<String> progress,
      PrintWriter out) {
    this.broker = broker;
    this.clock = clock;
    this.setting = setting;
    this.progress = progress;
    this.out = out;
    thread = Thread.ofPlatform().name("soak-watch").daemon().unstarted(this::watch);
  }

  void start() {
    thread.start();
  }

  private void watch() {
    try {
      for (int look = 1; !closed.await(PERIOD_MILLIS, TimeUnit.MILLISECONDS); look++) {
        sample();
        if (look % LINE_EVERY == 0) {
          printProgress();
        }
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private void sample() {
    Sample.of(broker.pid(), clock.now(), setting.database()).ifPresent(this::add);
  }

  private synchronized void add(Sample sample) {
    samples.add(sample);
  }

  private void printProgress() {
    String process =
        last()
            .map(sample ->
                "rss %,d MB, %d threads, %d files, database %.1f MB"
                    .formatted(
                        sample.residentBytes() >> 20,
                        sample.threads(),
                        sample.files(),
                        sample.databaseBytes() / 1e6))
            .orElse("the process is not visible");
    out.printf("%5.0f s  %s; %s%n", clock.now() / 1e9, progress.get(), process);
    out.flush();
  }

  private synchronized Optional<Sample> last() {
    return samples.isEmpty() ? Optional.empty() : Optional.of(samples.getLast());
  }

  /// All samples so far, in order of time.
  synchronized List<Sample> samples() {
    return List.copyOf(samples);
  }

  @Override
  public void close() {
    closed.countDown();
    try {
      thread.join(STOP_MILLIS);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }
}
