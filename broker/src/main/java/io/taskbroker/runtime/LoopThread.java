package io.taskbroker.runtime;

import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A named platform thread that takes one turn after the other until it is stopped. A turn that
/// throws ends it, and is reported to the [FailureSink] (G9). Thread-safe; started at most once.
///
/// It is a daemon: a loop that hangs does not keep the process.
public final class LoopThread {
  private static final Logger log = LoggerFactory.getLogger(LoopThread.class);

  /// How long [#stop] waits for a loop that it has just interrupted, at most.
  private static final Duration GRACE = Duration.ofMillis(500);

  private final Thread thread;
  private final Loop loop;
  private final FailureSink failures;

  /// Guards what follows.
  private final Object phase = new Object();

  private boolean started;
  private boolean turnsOver;
  private volatile boolean stopping; // written under phase

  /// @param name names the thread, and the stage to the failure sink
  public LoopThread(String name, Loop loop, FailureSink failures) {
    this.thread = Thread.ofPlatform().name(name).daemon().unstarted(this::run);
    this.loop = loop;
    this.failures = failures;
  }

  /// What a loop does. All methods but [#wake] are called by its thread.
  @FunctionalInterface
  public interface Loop {
    /// One turn, which may block until there is something to do.
    ///
    /// @throws InterruptedException ends the loop, and is no failure if it is being stopped
    void turn() throws Exception;

    /// What is left to do when the loop is stopped and its last turn is over: flush, close.
    default void end() throws Exception {}

    /// Makes the turn under way return soon, because the loop is being stopped. Called by another
    /// thread, at most once, and never after [#end] has begun.
    default void wake(Thread thread) {
      thread.interrupt();
    }
  }

  /// Starts the thread.
  ///
  /// @throws IllegalStateException if it was started or stopped before
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

  /// Asks the loop to stop, wakes it, and waits until it has ended. A loop that has not ended after
  /// `timeout` is interrupted, and waited for half a second longer at most.
  ///
  /// @return whether nothing of the loop runs any more; false also when the loop itself calls this,
  ///   or a thread that is interrupted
  public boolean stop(Duration timeout) {
    synchronized (phase) {
      boolean first = !stopping;
      stopping = true;
      if (!started) {
        return true;
      }
      if (first && !turnsOver) {
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
      log.warn("{} goes on after {} ms: interrupting it", thread.getName(), timeout.toMillis());
      thread.interrupt();
      return thread.join(GRACE);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return !thread.isAlive();
    }
  }

  /// Whether it was asked to stop.
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
        turnsOver = true;
        boolean _ = Thread.interrupted(); // it was meant for a turn
      }
      loop.end();
    } catch (Throwable e) {
      synchronized (phase) {
        turnsOver = true;
      }
      failures.failed(thread.getName(), e);
    }
  }
}
