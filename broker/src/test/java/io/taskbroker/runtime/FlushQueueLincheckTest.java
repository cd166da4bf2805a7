package io.taskbroker.runtime;

import static io.taskbroker.Interleavings.check;
import static io.taskbroker.Interleavings.join;
import static io.taskbroker.Interleavings.shared;
import static io.taskbroker.Interleavings.start;

import io.taskbroker.Interleavings;
import io.taskbroker.Interleavings.Actor;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Queue of a [BatchFlusher] under a model checker, which tries interleavings of its threads and
/// finds hangs such as a lost wake-up.
@Tag("concurrency")
@Timeout(300)
final class FlushQueueLincheckTest {
  @Test
  void producersAndTakerLoseNoWakeUp() {
    Interleavings.of(() -> {
      FlushQueue<Integer> queue = shared(queue(2, 2));
      List<Integer> flushed = new ArrayList<>();
      Actor taker = start(() -> drain(queue, flushed, 4));
      Actor first = start(() -> putAll(queue, 11, 12));
      putAll(queue, 21, 22);
      join(first, taker);
      check(flushed.size() == 4 && flushed.containsAll(List.of(11, 12, 21, 22)), flushed);
      check(flushed.indexOf(11) < flushed.indexOf(12), flushed);
      check(flushed.indexOf(21) < flushed.indexOf(22), flushed);
      check(!queue.hasWork(), "work");
    });
  }

  @Test
  void closeLosesNoAcceptedItem() {
    Interleavings.of(() -> {
      FlushQueue<Integer> queue = shared(queue(2, 4));
      List<Integer> flushed = new ArrayList<>();
      Actor taker = start(() -> drain(queue, flushed, Integer.MAX_VALUE));
      boolean[] accepted = new boolean[1];
      Actor producer = start(() -> accepted[0] = queue.offerAll(List.of(1, 2, 3)));
      queue.close();
      queue.end();
      join(producer, taker);
      check(flushed.equals(accepted[0] ? List.of(1, 2, 3) : List.of()), flushed);
      check(!queue.hasWork(), "work");
    });
  }

  @Test
  void g2FuturesSucceedOnlyWhenDurableAndAllComplete() {
    Interleavings.of(() -> {
      FlushQueue<Integer> queue = shared(queue(1, 4));
      List<Integer> flushed = new ArrayList<>();
      Actor taker = start(() -> drain(queue, flushed, 1));
      var futures = new ArrayList<CompletableFuture<Void>>();
      Actor producer =
          start(() -> {
            futures.add(queue.submit(1));
            futures.add(queue.submit(2));
          });
      queue.fail(new IllegalStateException("the disk is gone"));
      join(producer);
      queue.end();
      join(taker);
      for (int item = 1; item <= 2; item++) {
        CompletableFuture<Void> future = futures.get(item - 1);
        check(future.isDone(), item + " is forgotten");
        check(flushed.contains(item) || future.isCompletedExceptionally(), item + " ended well");
      }
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
        _ -> false,
        new NoTime());
  }

  private static void drain(FlushQueue<Integer> queue, List<Integer> flushed, int items)
      throws InterruptedException {
    while (flushed.size() < items) {
      List<Integer> batch = queue.take(1);
      if (batch.isEmpty()) {
        return;
      }
      flushed.addAll(batch);
      queue.complete();
    }
  }

  private static void putAll(FlushQueue<Integer> queue, int... items) throws InterruptedException {
    for (int item : items) {
      queue.put(item);
    }
  }

  /// Ticker whose waits are ended by signals only.
  private static final class NoTime implements Ticker {
    @Override
    public long nanoTime() {
      return 0;
    }

    @Override
    @SuppressWarnings("WaitNotInLoop") // the caller loops
    public void await(ReentrantLock lock, Condition condition, long until)
        throws InterruptedException {
      condition.await();
    }
  }
}
