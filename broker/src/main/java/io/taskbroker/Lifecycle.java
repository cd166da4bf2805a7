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

/// The life of the process around a broker: until a signal (exit code 0) or a failed stage (exit
/// code 1, and one line that says why), then a stop that takes 8 s at most, or 3 s after a failure,
/// after which the process ends without ceremony, having acknowledged nothing that is not durable
/// (G9, H25). Thread-safe.
final class Lifecycle implements FailureSink {
  private static final Logger log = LoggerFactory.getLogger(Lifecycle.class);
  private static final Duration STOP_TIME = Duration.ofSeconds(8);

  /// After a failure: what failed may be what the other stages wait for.
  private static final Duration STOP_TIME_AFTER_FAILURE = Duration.ofSeconds(3);

  /// How long the end of the process waits for the reader of its last lines.
  private static final Duration LAST_LINES = Duration.ofMillis(500);

  private final Runnable cleanUp;
  private volatile boolean building = true;
  private volatile int exitCode = 1;
  private final CountDownLatch over = new CountDownLatch(1);
  private final CountDownLatch stopped = new CountDownLatch(1);
  private final AtomicReference<@Nullable String> failure = new AtomicReference<>();

  /// @param cleanUp done right before the process ends, however it does
  Lifecycle(Runnable cleanUp) {
    this.cleanUp = cleanUp;
  }

  @Override
  public void failed(String stage, Throwable cause) {
    if (fail(stage + ": " + message(cause))) {
      log.error("{} failed, the broker stops", stage, cause);
      over.countDown();
    }
  }

  /// Notes why the process will end, and says it at once, as it may end in any way from now on.
  ///
  /// @return false if there was a reason before, which stays the one that is told
  private boolean fail(String line) {
    boolean first = failure.compareAndSet(null, line);
    if (first) {
      System.err.println("taskbroker: " + line);
    }
    return first;
  }

  /// Builds the broker, which may have to wait for its store, and starts it; waits for the end,
  /// then stops it. What the builder throws is thrown on.
  ///
  /// @return the exit code of the process
  int runUntilEnd(Supplier<Broker> builder) {
    Thread hook = Thread.ofPlatform().name("signal").unstarted(this::onSignal);
    Runtime.getRuntime().addShutdownHook(hook);
    Broker broker = build(builder);
    int code = 1;
    try {
      broker.start();
      over.await();
      code = stop(broker);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      code = stop(broker);
    } catch (RuntimeException e) {
      fail(message(e));
      log.debug("The broker did not start, or not stop", e);
      broker.stop();
    } finally {
      // After a signal the process may end from here on.
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
    endAnyway();
    broker.stop();
    return failure.get() == null ? 0 : 1;
  }

  /// A signal arrived: by the time this returns the process ends, so it waits for the stop.
  private void onSignal() {
    over.countDown();
    if (building) {
      // There is nothing to stop: nothing was taken in, and a store survives worse.
      log.info("Stopped while it started");
      end(0);
    }
    try {
      if (stopped.await(STOP_TIME.toSeconds() + 1, TimeUnit.SECONDS)) {
        end(exitCode);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    end(1);
  }

  /// Ends the process, whatever runs; a reader of its outputs that is there has its last lines.
  private void end(int code) {
    cleanUp.run();
    StandardStreams.flush(LAST_LINES);
    Runtime.getRuntime().halt(code);
  }

  /// Ends the process when the stop takes too long: what waits for an answer gets none.
  private void endAnyway() {
    Duration limit = failure.get() == null ? STOP_TIME : STOP_TIME_AFTER_FAILURE;
    Thread.ofPlatform()
        .name("hard-stop")
        .daemon()
        .start(() -> {
          try {
            if (!stopped.await(limit.toMillis(), TimeUnit.MILLISECONDS)) {
              fail("the stop was not done after " + limit.toSeconds() + " s, and is cut off");
              end(1);
            }
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
        });
  }

  /// What went wrong, in one line.
  private static String message(Throwable cause) {
    String message = cause.getMessage();
    Throwable deeper = cause.getCause();
    String line = message == null ? cause.getClass().getSimpleName() : message;
    if (deeper != null && deeper.getMessage() != null && !line.contains(deeper.getMessage())) {
      line = line + ": " + deeper.getMessage();
    }
    return line.replaceAll("\\s*\\R\\s*", " ");
  }
}
