package io.taskbroker.testkit;

import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// Timer wheel for very many timers on one thread, exact to a millisecond, never early. Timers due
/// in the same millisecond cost one wake-up. Thread-safe; one lock guards the slots.
final class TimerWheel implements AutoCloseable {
  private static final int SLOTS = 4096;
  private static final long TICK_NANOS = 1_000_000;
  private static final long STOP_MILLIS = 5_000;

  /// One-shot timer; it may be scheduled again after it has fired.
  abstract static class Timer {
    private long due;
    private @Nullable Timer next;

    /// Called by the wheel's thread; must not block.
    abstract void fire();
  }

  private final Object lock = new Object();
  private final @Nullable Timer[] slots = new @Nullable Timer[SLOTS];
  private final long origin = System.nanoTime();
  private final Runnable fired;
  private final Thread thread;
  private long tick;
  private long wakeAt = Long.MAX_VALUE;
  private int count;
  private volatile boolean closed;

  /// @param fired called by the wheel's thread after each round in which timers fired
  TimerWheel(String name, Runnable fired) {
    this.fired = fired;
    thread = Thread.ofPlatform().name(name).daemon().unstarted(this::turn);
  }

  void start() {
    thread.start();
  }

  void schedule(Timer timer, long delayMillis) {
    long now = System.nanoTime() - origin;
    long due = Math.ceilDiv(now, TICK_NANOS) + delayMillis;
    boolean wake;
    synchronized (lock) {
      if (count == 0) {
        tick = Math.max(tick, now / TICK_NANOS);
      }
      timer.due = Math.max(due, tick);
      put(timer);
      count++;
      wake = timer.due < wakeAt;
    }
    if (wake) {
      LockSupport.unpark(thread);
    }
  }

  private void put(Timer timer) {
    int slot = (int) (timer.due % SLOTS);
    timer.next = slots[slot];
    slots[slot] = timer;
  }

  private void turn() {
    while (!closed) {
      Timer due = takeDue();
      if (due == null) {
        park();
        continue;
      }
      while (due != null) {
        Timer next = due.next;
        due.next = null;
        due.fire();
        due = next;
      }
      fired.run();
    }
  }

  private @Nullable Timer takeDue() {
    long now = (System.nanoTime() - origin) / TICK_NANOS;
    Timer taken = null;
    synchronized (lock) {
      wakeAt = Long.MIN_VALUE;
      long first = Math.max(tick, now - SLOTS + 1);
      for (long t = first; t <= now && count > 0; t++) {
        int slot = (int) (t % SLOTS);
        Timer timer = slots[slot];
        slots[slot] = null;
        while (timer != null) {
          Timer next = timer.next;
          if (timer.due > now) {
            put(timer);
          } else {
            timer.next = taken;
            taken = timer;
            count--;
          }
          timer = next;
        }
      }
      tick = now + 1;
      if (taken == null) {
        wakeAt = nextDue();
      }
    }
    return taken;
  }

  /// Time of the next occupied slot, or never.
  private long nextDue() {
    if (count == 0) {
      return Long.MAX_VALUE;
    }
    long t = tick;
    while (slots[(int) (t % SLOTS)] == null) {
      t++;
    }
    return t;
  }

  private void park() {
    long until;
    synchronized (lock) {
      until = wakeAt;
    }
    if (until == Long.MAX_VALUE) {
      LockSupport.park(this);
    } else {
      LockSupport.parkNanos(this, until * TICK_NANOS - (System.nanoTime() - origin));
    }
  }

  /// Stops the thread; pending timers never fire.
  @Override
  public void close() {
    closed = true;
    LockSupport.unpark(thread);
    try {
      thread.join(STOP_MILLIS);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }
}
