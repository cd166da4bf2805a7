package io.taskbroker.runtime;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// Bounded queue from the threads that submit items to a [BatchFlusher] to its own thread, the
/// taker. Decides when a batch is due. Thread-safe; one lock.
///
/// Items are numbered from 1 in acceptance order. The accepted, taken and durable positions are
/// such numbers, so that submitting a list allocates nothing per item.
final class FlushQueue<T> {
  private final BatchFlusher.Options options;
  private final long interval;
  private final Predicate<T> urgent;
  private final Predicate<T> joined;
  private final Ticker ticker;

  /// Guards all following fields.
  private final ReentrantLock lock = new ReentrantLock();

  private final Condition work = lock.newCondition(); // awaited by the taker
  private final Condition room = lock.newCondition(); // awaited by threads in put

  private final ArrayDeque<Ticket> tickets = new ArrayDeque<>(); // of items that are not durable
  private ArrayList<T> waiting = new ArrayList<>();
  private ArrayList<T> batch = new ArrayList<>(); // the taker's, between take and complete
  private long accepted;
  private long taken;
  private long durable;
  private long lastUrgent;
  private long dueAt; // when items that are not urgent are due
  private int blocked; // number of threads waiting in put
  private Sleep sleep = Sleep.AWAKE;
  private boolean closed; // no further items are accepted
  private boolean ending; // the taker takes the rest
  private @Nullable Throwable failure; // no further item becomes durable

  private volatile boolean hasWork; // written under lock

  /// @param urgent whether an item is due at once; evaluated outside the lock
  /// @param joined whether the next item belongs to the same batch
  FlushQueue(
      BatchFlusher.Options options, Predicate<T> urgent, Predicate<T> joined, Ticker ticker) {
    this.options = options;
    this.interval = options.interval().toNanos();
    this.urgent = urgent;
    this.joined = joined;
    this.ticker = ticker;
    this.dueAt = ticker.nanoTime();
  }

  boolean offer(T item) {
    boolean isUrgent = isUrgent(item);
    lock.lock();
    try {
      if (closed || !hasRoom(1)) {
        return false;
      }
      add(item, isUrgent);
      return true;
    } finally {
      lock.unlock();
    }
  }

  boolean offerAll(List<? extends T> items) {
    int size = items.size();
    if (size > options.capacity()) {
      throw new IllegalArgumentException(
          options.name() + ": " + size + " items exceed the capacity of " + options.capacity());
    }
    int upToUrgent = size;
    while (upToUrgent > 0 && !isUrgent(items.get(upToUrgent - 1))) {
      upToUrgent = interval == 0 ? 0 : upToUrgent - 1;
    }
    lock.lock();
    try {
      if (closed || !hasRoom(size)) {
        return false;
      }
      if (size > 0) {
        waiting.addAll(items);
        added(size, upToUrgent);
      }
      return true;
    } finally {
      lock.unlock();
    }
  }

  void put(T item) throws InterruptedException {
    boolean isUrgent = isUrgent(item);
    lock.lockInterruptibly();
    try {
      while (!closed && !hasRoom(1)) {
        blocked++;
        try {
          room.await();
        } finally {
          blocked--;
        }
      }
      if (closed) {
        throw notAccepting();
      }
      add(item, isUrgent);
    } finally {
      lock.unlock();
    }
  }

  CompletableFuture<Void> submit(T item) {
    boolean isUrgent = isUrgent(item);
    lock.lock();
    try {
      if (closed) {
        return CompletableFuture.failedFuture(notAccepting());
      }
      if (!hasRoom(1)) {
        return CompletableFuture.failedFuture(
            new RejectedExecutionException(
                options.name() + " is full: " + options.capacity() + " items are not yet durable"));
      }
      CompletableFuture<Void> future = new CompletableFuture<>();
      tickets.add(new Ticket(accepted + 1, future));
      add(item, isUrgent);
      return future;
    } finally {
      lock.unlock();
    }
  }

  /// Whether accepted items are not yet durable. Never blocks.
  boolean hasWork() {
    return hasWork;
  }

  /// Stops accepting items.
  void close() {
    lock.lock();
    try {
      closed = true;
      room.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /// Wakes the taker for the last time: all remaining items are due.
  void end() {
    lock.lock();
    try {
      ending = true;
      work.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /// Stops accepting items and giving them to the taker, and fails the futures of items that are
  /// not durable.
  void fail(Throwable cause) {
    List<Ticket> lost;
    lock.lock();
    try {
      closed = true;
      if (failure == null) {
        failure = cause;
      }
      lost = List.copyOf(tickets);
      tickets.clear();
      room.signalAll();
    } finally {
      lock.unlock();
    }
    String message = options.name() + " ended before this item was known to be durable";
    for (Ticket ticket : lost) {
      ticket.future().completeExceptionally(new IllegalStateException(message, cause));
    }
  }

  @Nullable Throwable failure() {
    lock.lock();
    try {
      return failure;
    } finally {
      lock.unlock();
    }
  }

  long unflushed() {
    lock.lock();
    try {
      return accepted - durable;
    } finally {
      lock.unlock();
    }
  }

  /// Waits until a batch is due and takes it; takes it at once when ending. Taker only.
  ///
  /// @param until end of the wait while the queue is empty
  /// @return the batch, valid until [#complete]; empty if no item arrived in time or none is left
  List<T> take(long until) throws InterruptedException {
    lock.lock();
    try {
      while (!isDue()) {
        if (failure != null || (waiting.isEmpty() && (ending || until - ticker.nanoTime() <= 0))) {
          return List.of();
        }
        sleep(until);
      }
      moveToBatch();
      return Collections.unmodifiableList(batch);
    } finally {
      lock.unlock();
    }
  }

  /// Time at which [#take] has something to return, as of now. Taker only.
  ///
  /// @param until end of the wait while the queue is empty
  long dueAt(long until) {
    lock.lock();
    try {
      if (waiting.isEmpty()) {
        return until;
      }
      return isDueNow() ? ticker.nanoTime() : dueAt;
    } finally {
      lock.unlock();
    }
  }

  /// Marks the taken batch as durable. Taker only.
  void complete() {
    List<CompletableFuture<Void>> done = List.of();
    int size = batch.size();
    batch.clear();
    lock.lock();
    try {
      durable += size;
      hasWork = durable < accepted;
      while (!tickets.isEmpty() && tickets.element().number() <= durable) {
        if (done.isEmpty()) {
          done = new ArrayList<>();
        }
        done.add(tickets.remove().future());
      }
      if (blocked > 0) {
        room.signalAll();
      }
    } finally {
      lock.unlock();
    }
    for (CompletableFuture<Void> future : done) {
      future.complete(null);
    }
  }

  /// Waits until the given time regardless of new items, or until the queue is ending. Taker only.
  ///
  /// @param whileEnding wait even though the queue is ending
  void rest(long until, boolean whileEnding) throws InterruptedException {
    lock.lock();
    try {
      while (ending == whileEnding && until - ticker.nanoTime() > 0) {
        ticker.await(lock, work, until);
      }
    } finally {
      lock.unlock();
    }
  }

  private boolean isUrgent(T item) {
    return interval > 0 && urgent.test(item);
  }

  private boolean hasRoom(int items) {
    return accepted - durable + items <= options.capacity();
  }

  private void add(T item, boolean isUrgent) {
    waiting.add(item);
    added(1, isUrgent ? 1 : 0);
  }

  /// Wakes the taker, once, if these items end its wait.
  private void added(int items, int upToUrgent) {
    if (upToUrgent > 0) {
      lastUrgent = accepted + upToUrgent;
    }
    accepted += items;
    hasWork = true;
    if (sleep == Sleep.EMPTY || (sleep == Sleep.PAUSING && isDueNow())) {
      sleep = Sleep.AWAKE;
      work.signal();
    }
  }

  private boolean isDue() {
    return !waiting.isEmpty() && failure == null && (isDueNow() || dueAt - ticker.nanoTime() <= 0);
  }

  /// Whether the waiting items are due regardless of the time.
  private boolean isDueNow() {
    return interval == 0 || ending || lastUrgent > taken || waiting.size() >= options.batchSize();
  }

  private void moveToBatch() {
    int size = options.batchSize();
    while (size < waiting.size() && joined.test(waiting.get(size - 1))) {
      size++;
    }
    if (waiting.size() <= size) {
      ArrayList<T> empty = batch;
      batch = waiting;
      waiting = empty;
    } else {
      List<T> head = waiting.subList(0, size);
      batch.addAll(head);
      head.clear();
    }
    taken += batch.size();
    if (interval > 0) {
      dueAt = ticker.nanoTime() + interval;
    }
  }

  /// Waits without being woken by items that are not due before the interval ends, not even by the
  /// first one: that wake-up would only set a timer.
  private void sleep(long until) throws InterruptedException {
    boolean pausing = !waiting.isEmpty() || dueAt - ticker.nanoTime() > 0;
    boolean endsPause = !waiting.isEmpty() || (pausing && dueAt - until < 0);
    sleep = pausing ? Sleep.PAUSING : Sleep.EMPTY;
    try {
      ticker.await(lock, work, endsPause ? dueAt : until);
    } finally {
      sleep = Sleep.AWAKE;
    }
  }

  private IllegalStateException notAccepting() {
    return new IllegalStateException(
        options.name() + (failure == null ? " is closed" : " has failed"), failure);
  }

  /// State of the taker's wait.
  private enum Sleep {
    AWAKE,
    /// Any item.
    EMPTY,
    /// The end of the interval, or an item that is due earlier.
    PAUSING
  }

  private record Ticket(long number, CompletableFuture<Void> future) {}
}
