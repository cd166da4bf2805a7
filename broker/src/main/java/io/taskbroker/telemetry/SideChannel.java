package io.taskbroker.telemetry;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.ToLongFunction;

/// Bounded queue between threads that must never wait and a receiver that may: a log that nobody
/// reads, a disk that is full, a host that does not answer. A thread of its own, a daemon, hands
/// the items over in order. Items that find no room, or that the receiver refuses, are dropped and
/// counted, and the receiver is told how many before the next item that it takes.
///
/// Once it is full it drops until half of it is free, so that a receiver which is merely slow is
/// not told of drops at every item. Urgent items have the last eighth for themselves. Thread-safe.
///
/// @param <T> an item; immutable
final class SideChannel<T> {
  /// What an item takes of the heap beside itself, in bytes.
  private static final int OVERHEAD = 64;

  private final String name;
  private final long capacity;
  private final ToLongFunction<T> size;
  private final Receiver<T> receiver;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition(); // of what follows, guarded by lock
  private final Deque<Item<T>> queue = new ArrayDeque<>();
  private boolean started;
  private boolean full;
  private long held; // bytes, of the item under way too
  private long offered;
  private long ended;
  private long dropped;
  private long untold;

  /// @param name of the thread
  /// @param capacity bytes; a single item may have more
  /// @param size of an item, in bytes
  SideChannel(String name, long capacity, ToLongFunction<T> size, Receiver<T> receiver) {
    this.name = name;
    this.capacity = capacity;
    this.size = size;
    this.receiver = receiver;
  }

  /// Takes items. Called by the thread of the channel; may block, and may throw.
  interface Receiver<T> {
    void take(T item) throws Exception;

    /// Says that so many items before the next one were dropped.
    void lost(long items) throws Exception;
  }

  private record Item<T>(T content, long size, long lostBefore) {}

  /// Hands an item over, without waiting.
  ///
  /// @return false if it was dropped
  boolean offer(T content, boolean urgent) {
    long bytes = size.applyAsLong(content) + OVERHEAD;
    lock.lock();
    try {
      startOnce();
      if (!hasRoom(bytes, urgent)) {
        dropped++;
        untold++;
        return false;
      }
      queue.addLast(new Item<>(content, bytes, urgent ? 0 : untold));
      untold = urgent ? untold : 0;
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

  /// How many items were dropped since the start.
  long dropped() {
    lock.lock();
    try {
      return dropped;
    } finally {
      lock.unlock();
    }
  }

  /// Waits until the receiver has taken, or refused, what was offered before.
  ///
  /// @return false if that takes longer, or the thread is interrupted
  boolean flush(Duration timeout) {
    long left = timeout.toNanos();
    lock.lock();
    try {
      long all = offered;
      while (ended < all) {
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
          while (queue.isEmpty() && untold == 0) {
            changed.await();
          }
          item = queue.pollFirst();
          lost = refused + (item == null ? untold : item.lostBefore);
          untold = item == null ? 0 : untold;
        } finally {
          lock.unlock();
        }
      } catch (InterruptedException _) {
        continue; // nobody ends it: it is for as long as the process
      }
      refused = handOver(item, lost);
      if (item != null) {
        done(item, refused > 0);
      }
    }
  }

  /// @return how many items have been lost since the receiver last took one
  private long handOver(@org.jspecify.annotations.Nullable Item<T> item, long lost) {
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
      ended++;
      dropped += refused ? 1 : 0;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }
}
