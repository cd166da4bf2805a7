package io.taskbroker.telemetry;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/// Bounded queue between threads that must never block and a receiver that may: a log without a
/// reader, a full disk, a host that does not respond. A daemon thread delivers the items in order.
/// Items that do not fit, or that the receiver refuses, are dropped and counted; the receiver
/// learns the number of drops before the next item.
///
/// Once full, the queue drops until half of it is free, so that a receiver which is merely slow is
/// not notified of drops at every item. The last eighth is reserved for urgent items. Thread-safe.
///
/// @param <T> an item; immutable
public final class SideChannel<T> {
  /// Heap overhead of an item, in bytes.
  private static final int OVERHEAD = 64;

  private final String name;
  private final long capacity;
  private final ToLongFunction<T> size;
  private final Receiver<T> receiver;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition(); // of the fields below, guarded by lock
  private final Deque<Item<T>> queue = new ArrayDeque<>();
  private boolean started;
  private boolean full;
  private long held; // bytes, including the item being delivered
  private long offered;
  private long finished;
  private long dropped;
  private long unreported;

  /// @param name of the thread
  /// @param capacity bytes; a single item may exceed it
  /// @param size of an item, in bytes
  public SideChannel(String name, long capacity, ToLongFunction<T> size, Receiver<T> receiver) {
    this.name = name;
    this.capacity = capacity;
    this.size = size;
    this.receiver = receiver;
  }

  /// Consumer of the items. Called by the thread of the channel; may block, and may throw.
  public interface Receiver<T> {
    void take(T item) throws Exception;

    /// Reports the number of items dropped before the next one.
    void lost(long items) throws Exception;
  }

  private record Item<T>(T content, long size, long lostBefore) {}

  /// Enqueues an item without blocking.
  ///
  /// @return false if it was dropped
  public boolean offer(T content, boolean urgent) {
    long bytes = size.applyAsLong(content) + OVERHEAD;
    lock.lock();
    try {
      startOnce();
      if (!hasRoom(bytes, urgent)) {
        dropped++;
        unreported++;
        return false;
      }
      queue.addLast(new Item<>(content, bytes, urgent ? 0 : unreported));
      unreported = urgent ? unreported : 0;
      held += bytes;
      offered++;
      changed.signalAll();
      return true;
    } finally {
      lock.unlock();
    }
  }

  private boolean hasRoom(long bytes, boolean urgent) {
    if (held == 0) {
      full = false;
      return true;
    }
    if (urgent) {
      return held + bytes <= capacity;
    }
    full = held + bytes > (full ? capacity / 2 : capacity - capacity / 8);
    return !full;
  }

  private void startOnce() {
    if (!started) {
      started = true;
      Thread.ofPlatform().name(name).daemon().start(this::run);
    }
  }

  /// Number of items dropped since the start.
  public long dropped() {
    lock.lock();
    try {
      return dropped;
    } finally {
      lock.unlock();
    }
  }

  /// Waits until the receiver has taken or refused all items offered before.
  ///
  /// @return false on timeout or interruption
  public boolean flush(Duration timeout) {
    long left = timeout.toNanos();
    lock.lock();
    try {
      long all = offered;
      while (finished < all) {
        if (left <= 0) {
          return false;
        }
        left = changed.awaitNanos(left);
      }
      return true;
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      return false;
    } finally {
      lock.unlock();
    }
  }

  private void run() {
    long refused = 0;
    while (true) {
      Item<T> item;
      long lost;
      try {
        lock.lockInterruptibly();
        try {
          while (queue.isEmpty() && unreported == 0) {
            changed.await();
          }
          item = queue.pollFirst();
          lost = refused + (item == null ? unreported : item.lostBefore);
          unreported = item == null ? 0 : unreported;
        } finally {
          lock.unlock();
        }
      } catch (InterruptedException _) {
        continue; // the thread lives as long as the process
      }
      refused = deliver(item, lost);
      if (item != null) {
        done(item, refused > 0);
      }
    }
  }

  /// @return number of items lost since the receiver last accepted one
  private long deliver(@Nullable Item<T> item, long lost) {
    try {
      if (lost > 0) {
        receiver.lost(lost);
        lost = 0;
      }
      if (item != null) {
        receiver.take(item.content);
      }
      return 0;
    } catch (Exception _) {
      return item == null ? lost : lost + 1;
    }
  }

  private void done(Item<T> item, boolean refused) {
    lock.lock();
    try {
      held -= item.size;
      finished++;
      dropped += refused ? 1 : 0;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }
}
