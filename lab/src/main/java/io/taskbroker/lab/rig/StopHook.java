package io.taskbroker.lab.rig;

import java.io.PrintWriter;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// Shutdown hook for a graceful end on an interrupt: the exit of the process waits until this is
/// closed, at most 30 s. Thread-safe.
public final class StopHook implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final CountDownLatch asked = new CountDownLatch(1);
  private final CountDownLatch ended = new CountDownLatch(1);
  private final PrintWriter out;
  private final Thread thread;

  private StopHook(PrintWriter out) {
    this.out = out;
    thread = Thread.ofPlatform().name("stop").unstarted(this::stop);
  }

  public static StopHook install(PrintWriter out) {
    var hook = new StopHook(out);
    Runtime.getRuntime().addShutdownHook(hook.thread);
    return hook;
  }

  /// Reaches zero once the process must end.
  public CountDownLatch asked() {
    return asked;
  }

  public boolean isAsked() {
    return asked.getCount() == 0;
  }

  private void stop() {
    asked.countDown();
    try {
      if (!ended.await(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
        out.println("did not stop within 30 s");
        out.flush();
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    ended.countDown();
    try {
      Runtime.getRuntime().removeShutdownHook(thread);
    } catch (IllegalStateException _) {
      // The hook is already running.
    }
  }
}
