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

/// The bounded queue between the threads that hand items to a [BatchFlusher] and its own thread,
/// the taker: decides when a batch is due. Thread-safe; one lock.
///
/// Every item has a number, counted from 1 in the order of acceptance. What is accepted, taken or
/// durable is a number, so that handing over a list allocates nothing per item.
final class FlushQueue<T> {
  private final BatchFlusher.Options options;
  private final long interval;
  private final Predicate<T> urgent;
  private final Predicate<T> joined;
  private final Ticker ticker;

  /// Guards everything that follows.
  private final ReentrantLock lock = new ReentrantLock();

  private final Condition work = lock.newCondition(); // the taker's
  private final Condition room = lock.newCondition(); // of threads in put

  private final ArrayDeque<Ticket> tickets = new ArrayDeque<>(); // of what is not durable
  private ArrayList<T> waiting = new ArrayList<>();
  private ArrayList<T> batch = new ArrayList<>(); // the taker's between take and complete
  private long accepted;
  private long taken;
  private long durable;
  private long lastUrgent;
  private long dueAt; // what is not due before
  private int blocked; // threads in put that wait
  private Sleep sleep = Sleep.AWAKE;
  private boolean closed; // accepts nothing more
  private boolean ending; // the taker is to take the rest
  private @Nullable Throwable failure; // why nothing more will become durable

  private volatile boolean hasWork; // written under lock

  /// @param urgent whether an item is due at once; asked outside of the lock
  /// @param joined whether what follows an item belongs to its batch
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
          options.name() + ": " + size + " items never fit into " + options.capacity());
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
                options.name() + " is full: " + options.capacity() + " items are not durable yet"));
      }
      CompletableFuture<Void> future = new CompletableFuture<>();
      tickets.add(new Ticket(accepted + 1, future));
      add(item, isUrgent);
      return future;
    } finally {
      lock.unlock();
    }
  }

  /// Whether something accepted is not durable. Never blocks.
  boolean hasWork() {
    return hasWork;
  }

  /// Accepts nothing more.
  void close() {
    lock.lock();
    try {
      closed = true;
      room.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /// Wakes the taker for the last time: what is left is due.
  void end() {
    lock.lock();
    try {
      ending = true;
      work.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /// Accepts nothing more, gives nothing more to the taker, and fails the futures of what is not
  /// durable.
  void giveUp(Throwable cause) {
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
    String message = options.name() + " ended before this was durable: it may or may not be";
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

  /// Waits until a batch is due, and takes it; takes it at once when ending. The taker's.
  ///
  /// @param until how long to wait while nothing waits
  /// @return the batch, valid until [#complete]; empty if nothing came until then, or nothing is
  ///   left
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

  /// When [#take] has something to return, as things stand. The taker's.
  ///
  /// @param until how long it waits while nothing waits
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

  /// What was taken is durable. The taker's.
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

  /// Waits until then, whatever comes, but no longer than until it is to end. The taker's.
  ///
  /// @param whileEnding waits also if it is ending already
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

  /// Wakes the taker, once, if these items end its sleep.
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

  /// Whether what waits is due without regard to the time.
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

  /// Before the end of the interval what is not due wakes nobody, even if it is the first to come:
  /// that would be a wake-up to set an alarm.
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

  /// What the taker waits for.
  private enum Sleep {
    AWAKE,
    /// Any item.
    EMPTY,
    /// The end of the interval, or something that is due before.
    PAUSING
  }

  private record Ticket(long number, CompletableFuture<Void> future) {}
}
