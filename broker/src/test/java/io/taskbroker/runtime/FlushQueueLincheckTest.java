package io.taskbroker.runtime;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jetbrains.lincheck.Lincheck;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The queue of a [BatchFlusher] under a model checker, which tries interleavings of its threads
/// and finds those that hang: a lost wake-up is one.
@Timeout(300)
final class FlushQueueLincheckTest {
  private static final int INTERLEAVINGS = 1_000;

  @Test
  void producersAndTakerNeverMissEachOther() {
    Lincheck.runConcurrentTest(
        INTERLEAVINGS,
        () -> {
          FlushQueue<Integer> queue = queue(2, 2);
          List<Integer> flushed = new ArrayList<>();
          Thread taker = start(() -> drain(queue, flushed, 4));
          Thread first = start(() -> putAll(queue, 11, 12));
          putAll(queue, 21, 22);
          join(first, taker);
          check(flushed.size() == 4 && flushed.containsAll(List.of(11, 12, 21, 22)), flushed);
          check(flushed.indexOf(11) < flushed.indexOf(12), flushed);
          check(flushed.indexOf(21) < flushed.indexOf(22), flushed);
        });
  }

  @Test
  void closeLosesNothingThatWasAccepted() {
    Lincheck.runConcurrentTest(
        INTERLEAVINGS,
        () -> {
          FlushQueue<Integer> queue = queue(2, 4);
          List<Integer> flushed = new ArrayList<>();
          Thread taker = start(() -> drain(queue, flushed, Integer.MAX_VALUE));
          boolean[] accepted = new boolean[1];
          Thread producer = start(() -> accepted[0] = queue.offerAll(List.of(1, 2, 3)));
          queue.close();
          queue.end();
          join(producer, taker);
          check(flushed.equals(accepted[0] ? List.of(1, 2, 3) : List.of()), flushed);
        });
  }

  private static FlushQueue<Integer> queue(int batchSize, int capacity) {
    return new FlushQueue<>(
        new BatchFlusher.Options(
            "queue",
            batchSize,
            capacity,
            Duration.ZERO,
            Duration.ofMillis(1),
            Duration.ofMillis(1),
            Duration.ZERO),
        _ -> false,
        new NoTime());
  }

  private static void drain(FlushQueue<Integer> queue, List<Integer> flushed, int items) {
    try {
      while (flushed.size() < items) {
        List<Integer> batch = queue.take(1);
        if (batch.isEmpty()) {
          return;
        }
        flushed.addAll(batch);
        queue.complete();
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void putAll(FlushQueue<Integer> queue, int... items) {
    try {
      for (int item : items) {
        queue.put(item);
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /// AssertJ is not for threads of the model checker.
  private static void check(boolean holds, List<Integer> flushed) {
    if (!holds) {
      throw new AssertionError("Flushed: " + flushed);
    }
  }

  private static Thread start(Runnable body) {
    Thread thread = new Thread(body);
    thread.start();
    return thread;
  }

  private static void join(Thread... threads) {
    try {
      for (Thread thread : threads) {
        thread.join();
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /// Only signals end a wait.
  private static final class NoTime implements Ticker {
    @Override
    public long nanoTime() {
      return 0;
    }

    @Override
    @SuppressWarnings("WaitNotInLoop") // the caller's loop
    public void await(ReentrantLock lock, Condition condition, long until)
        throws InterruptedException {
      condition.await();
    }
  }
}
