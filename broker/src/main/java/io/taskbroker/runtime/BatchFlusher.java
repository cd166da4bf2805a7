package io.taskbroker.runtime;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Groups items of many threads into batches, which one thread of its own makes durable in the
/// order in which the items were accepted. Thread-safe.
///
/// A batch is flushed when it is full, when the interval since the flush before began has passed,
/// when an urgent item waits, and on close: what comes after a quiet time is flushed at once.
/// Without an interval it is flushed as soon as the flush before has ended (natural batching): the
/// longer a flush takes, the larger is the next batch. A batch takes along whatever waits, up to
/// its size.
///
/// A flush that fails keeps its batch and is tried again after a wait, until it succeeds: at the
/// bound nothing more is accepted, and nothing is dropped (G7). Only a fatal failure ends that: it
/// is reported to the [FailureSink] (G9), and the futures of what is not durable fail.
public final class BatchFlusher<T> implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(BatchFlusher.class);

  private final Options options;
  private final FlushFunction<T> function;
  private final Ticker ticker;
  private final FlushQueue<T> queue;
  private final Turns turns = new Turns();
  private final LoopThread thread;
  private final AtomicBoolean closed = new AtomicBoolean();
  private volatile long closeBy;

  // The flusher's thread only.
  private final Backoff backoff;
  private final Outage outage;
  private List<T> batch = List.of(); // taken and not durable
  private long tryAgainAt;
  private long idleAt;

  public BatchFlusher(Options options, FlushFunction<T> function, FailureSink failures) {
    this(options, function, failures, Ticker.SYSTEM, RandomGenerator.getDefault());
  }

  /// A flusher in a time of its own.
  ///
  /// @param ticker measures the interval, the waits after failures, and the time to close
  /// @param random for the jitter of the waits; used by the flusher's thread only
  public BatchFlusher(
      Options options,
      FlushFunction<T> function,
      FailureSink failures,
      Ticker ticker,
      RandomGenerator random) {
    this.options = options;
    this.function = function;
    this.ticker = ticker;
    this.queue = new FlushQueue<>(options, function::isUrgent, function::isJoined, ticker);
    this.thread = new LoopThread(options.name(), turns, failures);
    this.backoff = new Backoff(options.backoffMin(), options.backoffMax(), random);
    this.outage = new Outage(ticker);
    this.idleAt = ticker.nanoTime();
  }

  /// The bounds of a flusher.
  ///
  /// @param name of the thread, and in messages
  /// @param batchSize items of a batch at most, but for those that [FlushFunction#isJoined] adds
  /// @param capacity items that are accepted and not durable, at most; not less than `batchSize`
  /// @param interval the least time from the begin of a flush to that of the next, but for full
  ///   batches and urgent items; zero for natural batching
  /// @param backoffMin the wait after a first failure, about
  /// @param backoffMax the longest wait after a failure
  /// @param stopTimeout how long [#close] may go on flushing
  public record Options(
      String name,
      int batchSize,
      int capacity,
      Duration interval,
      Duration backoffMin,
      Duration backoffMax,
      Duration stopTimeout) {
    public Options {
      if (batchSize < 1 || capacity < batchSize) {
        throw new IllegalArgumentException(
            name + " needs 1 <= batch size (" + batchSize + ") <= capacity (" + capacity + ")");
      }
      if (interval.isNegative() || stopTimeout.isNegative()) {
        throw new IllegalArgumentException(
            name + " needs an interval (" + interval + ") and stop timeout that are not negative");
      }
    }
  }

  /// Begins to flush. What was accepted before is kept until then.
  ///
  /// @throws IllegalStateException if it was started or closed before
  public void start() {
    thread.start();
  }

  /// Accepts the item if there is room, and does not wait.
  ///
  /// @return false if there is none, or the flusher is closed or failed
  public boolean offer(T item) {
    return queue.offer(item);
  }

  /// Accepts the items, all or none, under one lock, and does not wait. The list is copied, without
  /// allocation per item.
  ///
  /// @return false if there is no room for all of them, or the flusher is closed or failed
  /// @throws IllegalArgumentException if there will never be room for so many
  public boolean offerAll(List<? extends T> items) {
    return queue.offerAll(items);
  }

  /// Accepts the item as soon as there is room.
  ///
  /// @throws IllegalStateException if the flusher is closed or failed, or is while this waits
  public void put(T item) throws InterruptedException {
    queue.put(item);
  }

  /// Accepts the item if there is room, and does not wait.
  ///
  /// @return completed, by the flusher's thread, when the item is durable; failed at once with a
  ///   [RejectedExecutionException] if there is no room; failed with an [IllegalStateException] if
  ///   the flusher is closed or failed, or ends later without having made the item durable
  public CompletableFuture<Void> submit(T item) {
    return queue.submit(item);
  }

  /// Whether something accepted is not durable yet. Never blocks.
  public boolean hasWork() {
    return queue.hasWork();
  }

  /// Accepts nothing more, flushes what is left at once, and returns when the thread has ended, or
  /// after the stop timeout (and half a second, if a flush hangs). Does nothing when called again.
  ///
  /// @throws IllegalStateException if accepted items are not known to be durable; their futures
  ///   have failed
  @Override
  public void close() {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    queue.close();
    closeBy = ticker.nanoTime() + options.stopTimeout().toNanos();
    boolean _ = thread.stop(options.stopTimeout());
    if (queue.hasWork()) {
      String message =
          options.name() + " was closed, and could not make everything durable in time";
      queue.giveUp(new IllegalStateException(message));
      throw new IllegalStateException(
          message + ": " + queue.unflushed() + " items", queue.failure());
    }
  }

  /// One turn of the thread: flushes the batch that is due, or tries the last one again. Waits
  /// until there is something to do, which is not before [#nextTurn].
  void turn() throws Exception {
    turns.turn();
  }

  /// When the next turn has something to do, as things stand.
  long nextTurn() {
    return batch.isEmpty() ? queue.dueAt(idleAt) : tryAgainAt;
  }

  /// Flushes the batch.
  ///
  /// @return null if that is done; why it is to be tried again, otherwise
  private @Nullable Exception flush() throws Exception {
    try {
      function.flush(batch);
    } catch (InterruptedException e) {
      throw e;
    } catch (Exception e) {
      tryAgainAt = ticker.nanoTime() + failed("flush " + batch.size() + " items", e);
      return e;
    }
    recovered();
    batch = List.of();
    queue.complete();
    idleAt = ticker.nanoTime();
    return null;
  }

  /// Flushes the batch while it is being closed, as often as it takes and there is time to.
  private void flushAtLast() throws Exception {
    for (Exception failure = flush(); failure != null; failure = flush()) {
      queue.rest(closeBy - tryAgainAt < 0 ? closeBy : tryAgainAt, true);
      if (closeBy - ticker.nanoTime() <= 0) {
        throw new TimeIsUp(failure);
      }
    }
  }

  private void idle() throws Exception {
    long pause;
    try {
      pause = function.idle();
      recovered();
    } catch (InterruptedException e) {
      throw e;
    } catch (Exception e) {
      pause = failed("do what it does when idle", e);
    }
    idleAt = ticker.nanoTime() + Math.min(pause, Long.MAX_VALUE / 2);
  }

  /// Judges and logs a failure; returns how long to wait.
  private long failed(String what, Exception e) throws Exception {
    if (function.isFatal(e)) {
      throw e;
    }
    if (outage.failed()) {
      if (outage.failures() == 1) {
        log.warn("{} could not {}, and tries again", options.name(), what, e);
      } else {
        log.warn(
            "{} could not {}, {} times in {} ms, and goes on trying: {}",
            options.name(),
            what,
            outage.failures(),
            outage.millis(),
            e.toString());
      }
    }
    return backoff.nextNanos();
  }

  private void recovered() {
    if (outage.failures() > 0) {
      log.info(
          "{} works again, after {} failures in {} ms",
          options.name(),
          outage.failures(),
          outage.millis());
      outage.over();
      backoff.reset();
    }
  }

  /// A batch could not be made durable within the time to close.
  private static final class TimeIsUp extends RuntimeException {
    private static final long serialVersionUID = 1;

    final transient Exception failure;

    TimeIsUp(Exception failure) {
      super("The time to close is up", failure);
      this.failure = failure;
    }
  }

  private final class Turns implements LoopThread.Loop {
    @Override
    public void turn() throws Exception {
      orGiveUp(() -> {
        if (batch.isEmpty()) {
          batch = queue.take(idleAt);
        } else {
          queue.rest(tryAgainAt, false);
        }
        if (thread.isStopping()) {
          return; // for the end
        }
        if (batch.isEmpty()) {
          idle();
        } else {
          var _ = flush();
        }
      });
    }

    @Override
    public void wake(Thread thread) {
      queue.end();
    }

    @Override
    public void end() throws Exception {
      queue.end();
      orGiveUp(() -> {
        backoff.reset();
        if (batch.isEmpty()) {
          batch = queue.take(idleAt);
        }
        while (!batch.isEmpty() && queue.failure() == null) {
          flushAtLast();
          batch = queue.take(idleAt);
        }
        if (queue.failure() == null) {
          idle();
        }
      });
    }

    private void orGiveUp(Step step) throws Exception {
      try {
        step.run();
      } catch (TimeIsUp e) {
        queue.giveUp(e.failure);
      } catch (Throwable e) {
        queue.giveUp(e);
        throw e;
      }
    }
  }

  @FunctionalInterface
  private interface Step {
    void run() throws Exception;
  }
}
