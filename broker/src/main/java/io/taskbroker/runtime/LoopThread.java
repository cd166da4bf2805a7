package io.taskbroker.runtime;

import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Named platform thread that runs the turns of a loop until it is stopped. A turn that throws ends
/// the loop and is reported to the [FailureSink] (G9). Thread-safe; started at most once.
///
/// A daemon thread: a hanging loop does not keep the process alive.
public final class LoopThread {
  private static final Logger log = LoggerFactory.getLogger(LoopThread.class);

  /// Maximum wait of [#stop] for a loop that it has interrupted.
  private static final Duration GRACE = Duration.ofMillis(500);

  private final Thread thread;
  private final Loop loop;
  private final FailureSink failures;

  /// Guards the following fields.
  private final Object phase = new Object();

  private boolean started;
  private boolean turnsEnded;
  private volatile boolean stopping; // written under phase

  /// @param name thread name, and stage name for the failure sink
  public LoopThread(String name, Loop loop, FailureSink failures) {
    this.thread = Thread.ofPlatform().name(name).daemon().unstarted(this::run);
    this.loop = loop;
    this.failures = failures;
  }

  /// Body of a loop. All methods except [#wake] run on its thread.
  @FunctionalInterface
  public interface Loop {
    /// One turn; may block until there is something to do.
    ///
    /// @throws InterruptedException to end the loop; not a failure while it is being stopped
    void turn() throws Exception;

    /// Final work after the last turn of a stopped loop: flush, close.
    default void end() throws Exception {}

    /// Makes the current turn return soon, because the loop is being stopped. Called by another
    /// thread, at most once, and never after [#end] has begun.
    default void wake(Thread thread) {
      thread.interrupt();
    }
  }

  /// Starts the thread.
  ///
  /// @throws IllegalStateException if already started or stopped
  public void start() {
    synchronized (phase) {
      if (started || stopping) {
        throw new IllegalStateException(
            thread.getName() + " was " + (started ? "started" : "stopped") + " before");
      }
      started = true;
      thread.start();
    }
  }

  /// Asks the loop to stop, wakes it, and waits until it has ended. A loop still running after
  /// `timeout` is interrupted and awaited for up to half a second more.
  ///
  /// @return whether the loop has ended; false also when the loop itself or an interrupted thread
  ///   calls this
  public boolean stop(Duration timeout) {
    synchronized (phase) {
      boolean first = !stopping;
      stopping = true;
      if (!started) {
        return true;
      }
      if (first && !turnsEnded) {
        loop.wake(thread);
      }
    }
    if (Thread.currentThread() == thread) {
      return false;
    }
    try {
      if (thread.join(timeout)) {
        return true;
      }
      log.warn(
          "{} is still running after {} ms: interrupting it", thread.getName(), timeout.toMillis());
      thread.interrupt();
      return thread.join(GRACE);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return !thread.isAlive();
    }
  }

  /// Whether a stop was requested.
  public boolean isStopping() {
    return stopping;
  }

  private void run() {
    try {
      try {
        while (!stopping) {
          loop.turn();
        }
      } catch (InterruptedException e) {
        if (!stopping) {
          throw e;
        }
      }
      synchronized (phase) {
        turnsEnded = true;
        boolean _ = Thread.interrupted(); // the interrupt was meant for a turn
      }
      loop.end();
    } catch (Throwable e) {
      synchronized (phase) {
        turnsEnded = true;
      }
      failures.failed(thread.getName(), e);
    }
  }
}
