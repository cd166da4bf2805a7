package io.taskbroker.runtime;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.awaitility.Awaitility;

/// Ticker advanced by a test, which can also observe waiting threads. Thread-safe.
public final class ManualTicker implements Ticker {
  private final AtomicLong now = new AtomicLong(Long.MAX_VALUE - 1_000); // overflows at once
  private final Set<Waiter> waiters = ConcurrentHashMap.newKeySet();
  private final AtomicInteger sleeps = new AtomicInteger();
  private volatile long lastUntil;

  private record Waiter(ReentrantLock lock, Condition condition) {}

  @Override
  public long nanoTime() {
    return now.get();
  }

  @Override
  @SuppressWarnings("WaitNotInLoop") // the caller loops
  public void await(ReentrantLock lock, Condition condition, long until)
      throws InterruptedException {
    waiters.add(new Waiter(lock, condition));
    lastUntil = until;
    sleeps.incrementAndGet();
    if (until - now.get() > 0) {
      condition.await();
    }
  }

  /// Advances time and wakes all waiting threads to recheck it.
  public void advance(Duration step) {
    now.addAndGet(step.toNanos());
    for (Waiter waiter : waiters) {
      waiter.lock().lock();
      try {
        waiter.condition().signalAll();
      } finally {
        waiter.lock().unlock();
      }
    }
  }

  /// Number of waits begun so far.
  public int sleeps() {
    return sleeps.get();
  }

  /// Waits until `times` waits have begun in total.
  public void awaitSleeps(int times) {
    Awaitility.await().until(() -> sleeps.get() >= times);
  }

  /// Advances time, and returns when the only waiting thread has rechecked it and waits again.
  public void advanceInVain(Duration step) {
    int before = sleeps.get();
    advance(step);
    awaitSleeps(before + 1);
  }

  /// Remaining duration of the last wait when it began.
  public Duration lastWait() {
    return Duration.ofNanos(lastUntil - now.get());
  }
}
