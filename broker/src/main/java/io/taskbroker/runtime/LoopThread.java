package io.taskbroker.runtime;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
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
  private final AtomicBoolean started = new AtomicBoolean();
  private final Object handover = new Object();
  private volatile boolean stopping;
  private boolean turnsOver; // guarded by handover

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
    /// @throws InterruptedException ends the loop, quietly if it is being stopped
    void turn() throws Exception;

    /// What is left to do when the loop is stopped and its last turn is over: flush, close.
    default void end() throws Exception {}

    /// Makes the turn under way return soon, because the loop is being stopped. Called by another
    /// thread, at most once, before [#end].
    default void wake(Thread thread) {
      thread.interrupt();
    }
  }

  /// @throws IllegalStateException if it was started before
  public void start() {
    if (!started.compareAndSet(false, true)) {
      throw new IllegalStateException(thread.getName() + " was started before");
    }
    thread.start();
  }

  /// Asks the loop to stop, wakes it, and waits until it has ended. A loop that has not ended after
  /// `timeout` is interrupted, and waited for half a second longer at most.
  ///
  /// @return whether the loop has ended; false also when the loop itself, or an interrupted thread,
  ///   calls this
  public boolean stop(Duration timeout) {
    synchronized (handover) {
      boolean first = !stopping;
      stopping = true;
      if (first && !turnsOver && thread.isAlive()) {
        loop.wake(thread);
      }
    }
    if (!started.get()) {
      return true;
    }
    if (Thread.currentThread() == thread) {
      return false;
    }
    try {
      if (!thread.join(timeout)) {
        log.warn(
            "{} has not ended after {} ms: interrupting it", thread.getName(), timeout.toMillis());
        thread.interrupt();
        return thread.join(GRACE);
      }
      return true;
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
      synchronized (handover) {
        turnsOver = true;
        boolean _ = Thread.interrupted(); // was meant for a turn
      }
      loop.end();
    } catch (Throwable e) {
      failures.failed(thread.getName(), e);
    }
  }
}
