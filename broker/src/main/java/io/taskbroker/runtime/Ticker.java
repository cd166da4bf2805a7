package io.taskbroker.runtime;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// Monotonic time source that can also wait: the system's, or one that a test advances by hand.
/// Thread-safe.
public interface Ticker {
  Ticker SYSTEM = new SystemTicker();

  /// Nanoseconds since an arbitrary origin; only differences are meaningful, as with
  /// [System#nanoTime].
  long nanoTime();

  /// Waits for a signal, or until [#nanoTime] reaches `until`; spurious wake-ups are possible.
  ///
  /// @param lock the lock of `condition`, held by the caller
  void await(ReentrantLock lock, Condition condition, long until) throws InterruptedException;

  /// Time source backed by [System#nanoTime].
  final class SystemTicker implements Ticker {
    private SystemTicker() {}

    @Override
    public long nanoTime() {
      return System.nanoTime();
    }

    @Override
    @SuppressWarnings("WaitNotInLoop") // the caller loops
    public void await(ReentrantLock lock, Condition condition, long until)
        throws InterruptedException {
      long left = until - System.nanoTime();
      if (left > 0) {
        boolean _ = condition.await(left, TimeUnit.NANOSECONDS);
      }
    }
  }
}
