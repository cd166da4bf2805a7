package io.taskbroker.runtime;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// Elapsed time, and waiting for it: the system's, or one that a test moves by hand. Thread-safe.
public interface Ticker {
  Ticker SYSTEM = new SystemTicker();

  /// Nanoseconds since some moment; only differences mean anything, as with [System#nanoTime].
  long nanoTime();

  /// Waits for a signal, or until [#nanoTime] has reached `until`; may also return for no reason.
  ///
  /// @param lock held by the caller; the lock of `condition`
  void await(ReentrantLock lock, Condition condition, long until) throws InterruptedException;

  /// The time of this machine.
  final class SystemTicker implements Ticker {
    private SystemTicker() {}

    @Override
    public long nanoTime() {
      return System.nanoTime();
    }

    @Override
    @SuppressWarnings("WaitNotInLoop") // the caller's loop
    public void await(ReentrantLock lock, Condition condition, long until)
        throws InterruptedException {
      long left = until - System.nanoTime();
      if (left > 0) {
        boolean _ = condition.await(left, TimeUnit.NANOSECONDS);
      }
    }
  }
}
