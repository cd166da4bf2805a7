package io.taskbroker;

import io.taskbroker.runtime.FailureSink;
import io.taskbroker.telemetry.StandardStreams;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Lifecycle of the broker process: runs until a signal (exit code 0) or a failed stage (exit code
/// 1 and one line that names the failure), then stops the broker within 8 s, or 3 s after a
/// failure, and otherwise halts the process. Work that is not durable is never acknowledged (G9,
/// H25). Thread-safe.
final class Lifecycle implements FailureSink {
  private static final Logger log = LoggerFactory.getLogger(Lifecycle.class);
  private static final Duration STOP_TIME = Duration.ofSeconds(8);

  /// After a failure: other stages may be waiting for the failed one.
  private static final Duration STOP_TIME_AFTER_FAILURE = Duration.ofSeconds(3);

  /// Time that a halting process allows the reader of its outputs to take the last lines.
  private static final Duration FLUSH_TIMEOUT = Duration.ofMillis(500);

  private final Runnable cleanUp;
  private volatile boolean building = true;
  private volatile int exitCode = 1;
  private final CountDownLatch ended = new CountDownLatch(1);
  private final CountDownLatch stopped = new CountDownLatch(1);
  private final AtomicReference<@Nullable String> failure = new AtomicReference<>();

  /// @param cleanUp run right before the process ends, in every case
  Lifecycle(Runnable cleanUp) {
    this.cleanUp = cleanUp;
  }

  @Override
  public void failed(String stage, Throwable cause) {
    if (record(stage + ": " + message(cause))) {
      log.error("{} failed, the broker stops", stage, cause);
      ended.countDown();
    }
  }

  /// Records why the process ends and prints it at once, since the process may end at any time from
  /// now on.
  ///
  /// @return false if a failure was recorded before; the first one is reported
  private boolean record(String line) {
    boolean first = failure.compareAndSet(null, line);
    if (first) {
      System.err.println("taskbroker: " + line);
    }
    return first;
  }

  /// Builds the broker, which may wait for its store, starts it, waits for a signal or a failure,
  /// and stops it. Rethrows the builder's exceptions, but where memory is exhausted.
  ///
  /// @return the exit code of the process
  int runUntilEnd(Supplier<Broker> builder) {
    Thread hook = Thread.ofPlatform().name("signal").unstarted(this::onSignal);
    Runtime.getRuntime().addShutdownHook(hook);
    int code = 1;
    Broker broker;
    try {
      broker = build(builder);
    } catch (OutOfMemoryError e) {
      record(message(e));
      return code;
    }
    try {
      broker.start();
      ended.await();
      code = stop(broker);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      code = stop(broker);
    } catch (RuntimeException | OutOfMemoryError e) {
      record(message(e));
      log.debug("The broker failed to start or stop", e);
      broker.stop();
    } finally {
      // After a signal the process may end at any time from here on.
      exitCode = code;
      stopped.countDown();
    }
    return code;
  }

  private Broker build(Supplier<Broker> builder) {
    boolean built = false;
    try {
      Broker broker = builder.get();
      built = true;
      return broker;
    } finally {
      building = false;
      if (!built) {
        stopped.countDown();
      }
    }
  }

  private int stop(Broker broker) {
    haltAfterTimeout();
    broker.stop();
    return failure.get() == null ? 0 : 1;
  }

  /// Shutdown hook: the JVM ends when it returns, so it waits for the stop.
  private void onSignal() {
    ended.countDown();
    if (building) {
      // Nothing to stop: nothing was ingested, and the store survives a kill.
      log.info("Stopped during startup");
      halt(0);
    }
    try {
      if (stopped.await(STOP_TIME.toSeconds() + 1, TimeUnit.SECONDS)) {
        halt(exitCode);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    halt(1);
  }

  /// Halts the process whatever still runs, after flushing the last lines to a reader that takes
  /// them.
  private void halt(int code) {
    cleanUp.run();
    StandardStreams.flush(FLUSH_TIMEOUT);
    Runtime.getRuntime().halt(code);
  }

  /// Starts the timer that halts the process if the stop takes too long; pending calls remain
  /// unanswered.
  private void haltAfterTimeout() {
    Duration limit = failure.get() == null ? STOP_TIME : STOP_TIME_AFTER_FAILURE;
    Thread.ofPlatform()
        .name("hard-stop")
        .daemon()
        .start(() -> {
          try {
            if (!stopped.await(limit.toMillis(), TimeUnit.MILLISECONDS)) {
              record("the stop took longer than " + limit.toSeconds() + " s: halting the process");
              halt(1);
            }
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
        });
  }

  /// Message of a failure and its cause, in one line.
  private static String message(Throwable cause) {
    if (cause instanceof OutOfMemoryError) {
      return "%s: the heap of %d MB is too small for what the store holds and for what arrives: start with a larger one (-Xmx in JAVA_OPTS; docs/operations.md, How much heap)"
          .formatted(cause.getMessage(), Runtime.getRuntime().maxMemory() >> 20);
    }
    String message = cause.getMessage();
    Throwable deeper = cause.getCause();
    String line = message == null ? cause.getClass().getSimpleName() : message;
    if (deeper != null && deeper.getMessage() != null && !line.contains(deeper.getMessage())) {
      line = line + ": " + deeper.getMessage();
    }
    return line.replaceAll("\\s*\\R\\s*", " ");
  }
}
