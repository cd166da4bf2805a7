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

/// Group-commit queue: collects items of many threads into batches that one thread makes durable in
/// acceptance order. Thread-safe.
///
/// A batch is flushed when it is full, when the interval since the start of the previous flush has
/// passed, when an urgent item waits, and on close; the first item after an idle period is flushed
/// at once. Without an interval, a batch is flushed as soon as the previous flush ends (natural
/// batching): the longer a flush takes, the larger the next batch. A batch takes all waiting items,
/// up to its size.
///
/// A failed flush keeps its batch and is retried after a delay until it succeeds; at capacity
/// nothing more is accepted, and nothing is dropped (G7). Only a fatal failure ends the flusher: it
/// is reported to the [FailureSink] (G9), and the futures of items that are not durable fail.
public final class BatchFlusher<T> implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(BatchFlusher.class);

  private final Options options;
  private final FlushFunction<T> function;
  private final Ticker ticker;
  private final FlushQueue<T> queue;
  private final TurnLoop turnLoop = new TurnLoop();
  private final LoopThread thread;
  private final AtomicBoolean closed = new AtomicBoolean();
  private volatile long closeBy;
  private volatile String failure = "";

  // Confined to the flusher's thread.
  private final Backoff backoff;
  private final Outage outage;
  private List<T> batch = List.of(); // taken, not durable
  private long retryAt;
  private long idleAt;

  public BatchFlusher(Options options, FlushFunction<T> function, FailureSink failures) {
    this(options, function, failures, Ticker.SYSTEM, RandomGenerator.getDefault());
  }

  /// A flusher with its own time source.
  ///
  /// @param ticker time source of the interval, the retry delays and the close timeout
  /// @param random source of the retry jitter; used by the flusher's thread only
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
    this.thread = new LoopThread(options.name(), turnLoop, failures);
    this.backoff = new Backoff(options.backoffMin(), options.backoffMax(), random);
    this.outage = new Outage(ticker);
    this.idleAt = ticker.nanoTime();
  }

  /// Bounds of a flusher.
  ///
  /// @param name thread name, also used in messages
  /// @param batchSize maximum items per batch, except for items that [FlushFunction#isJoined] adds
  /// @param capacity maximum items accepted and not yet durable; at least `batchSize`
  /// @param interval minimum time between the starts of two flushes, except for full batches and
  ///   urgent items; zero for natural batching
  /// @param backoffMin approximate delay after a first failure
  /// @param backoffMax maximum delay after a failure
  /// @param stopTimeout how long [#close] may keep flushing
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

  /// Starts flushing; items accepted earlier wait until then.
  ///
  /// @throws IllegalStateException if already started or closed
  public void start() {
    thread.start();
  }

  /// Accepts the item if there is room, and does not wait.
  ///
  /// @return false if there is no room, or the flusher is closed or failed
  public boolean offer(T item) {
    return queue.offer(item);
  }

  /// Accepts all of the items or none, under one lock, without waiting. Copies the list without
  /// allocating per item.
  ///
  /// @return false if there is no room for all of them, or the flusher is closed or failed
  /// @throws IllegalArgumentException if there are more items than the capacity
  public boolean offerAll(List<? extends T> items) {
    return queue.offerAll(items);
  }

  /// Accepts the item, waiting until there is room.
  ///
  /// @throws IllegalStateException if the flusher is closed or failed, before or while this waits
  public void put(T item) throws InterruptedException {
    queue.put(item);
  }

  /// Accepts the item if there is room, and does not wait.
  ///
  /// @return future that the flusher's thread completes when the item is durable; fails at once
  ///   with a [RejectedExecutionException] if there is no room; fails with an
  ///   [IllegalStateException] if the flusher is closed or failed, or ends before the item is
  ///   durable
  public CompletableFuture<Void> submit(T item) {
    return queue.submit(item);
  }

  /// Whether accepted items are not yet durable. Never blocks.
  public boolean hasWork() {
    return queue.hasWork();
  }

  /// Message of the failure that is retried, in one line; empty if the last attempt succeeded.
  /// Never blocks.
  public String failure() {
    return failure;
  }

  /// Stops accepting, flushes the remaining items at once, and returns when the thread has ended,
  /// or after the stop timeout (plus half a second if a flush hangs). Idempotent.
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
      String message = options.name() + " was closed before all items were durable";
      queue.fail(new IllegalStateException(message));
      throw new IllegalStateException(
          message + ": " + queue.unflushed() + " items", queue.failure());
    }
  }

  /// One turn of the thread: flushes the due batch, or retries the failed one. Waits until there is
  /// something to do, not before [#nextTurn].
  void turn() throws Exception {
    turnLoop.turn();
  }

  /// Time at which the next turn has something to do, as of now.
  long nextTurn() {
    return batch.isEmpty() ? queue.dueAt(idleAt) : retryAt;
  }

  /// Flushes the batch.
  ///
  /// @return null on success; otherwise the failure to retry
  private @Nullable Exception flush() throws Exception {
    try {
      function.flush(batch);
    } catch (InterruptedException e) {
      throw e;
    } catch (Exception e) {
      retryAt = ticker.nanoTime() + failed("flush " + batch.size() + " items", e);
      return e;
    }
    recovered();
    batch = List.of();
    queue.complete();
    idleAt = ticker.nanoTime();
    return null;
  }

  /// Flushes the batch on close, retrying as often as the close timeout allows.
  private void flushOnClose() throws Exception {
    for (Exception failure = flush(); failure != null; failure = flush()) {
      queue.rest(closeBy - retryAt < 0 ? closeBy : retryAt, true);
      if (closeBy - ticker.nanoTime() <= 0) {
        throw new CloseTimeout(failure);
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
      pause = failed("do its idle work", e);
    }
    idleAt = ticker.nanoTime() + Math.min(pause, Long.MAX_VALUE / 2);
  }

  /// Classifies and logs a failure; returns the delay before the next try.
  private long failed(String what, Exception e) throws Exception {
    if (function.isFatal(e)) {
      throw e;
    }
    failure = FailureText.of(e);
    if (outage.failed()) {
      if (outage.failures() == 1) {
        log.warn("{} could not {}, retrying", options.name(), what, e);
      } else {
        log.warn(
            "{} could not {}, {} times in {} ms, still retrying: {}",
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
          "{} recovered after {} failures in {} ms",
          options.name(),
          outage.failures(),
          outage.millis());
      failure = "";
      outage.over();
      backoff.reset();
    }
  }

  /// Close timeout reached before a batch became durable.
  private static final class CloseTimeout extends RuntimeException {
    private static final long serialVersionUID = 1;

    final transient Exception failure;

    CloseTimeout(Exception failure) {
      super("The close timeout has passed", failure);
      this.failure = failure;
    }
  }

  private final class TurnLoop implements LoopThread.Loop {
    @Override
    public void turn() throws Exception {
      failQueueOnError(() -> {
        if (batch.isEmpty()) {
          batch = queue.take(idleAt);
        } else {
          queue.rest(retryAt, false);
        }
        if (thread.isStopping()) {
          return; // end() flushes the rest
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
      failQueueOnError(() -> {
        backoff.reset();
        if (batch.isEmpty()) {
          batch = queue.take(idleAt);
        }
        while (!batch.isEmpty() && queue.failure() == null) {
          flushOnClose();
          batch = queue.take(idleAt);
        }
        if (queue.failure() == null) {
          idle();
        }
      });
    }

    private void failQueueOnError(Step step) throws Exception {
      try {
        step.run();
      } catch (CloseTimeout e) {
        queue.fail(e.failure);
      } catch (Throwable e) {
        queue.fail(e);
        throw e;
      }
    }
  }

  @FunctionalInterface
  private interface Step {
    void run() throws Exception;
  }
}
