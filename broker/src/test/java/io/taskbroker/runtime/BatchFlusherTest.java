package io.taskbroker.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Every clause of the [BatchFlusher] contract. Time advances only when a test moves it.
@Timeout(240)
final class BatchFlusherTest {
  private static final Duration INTERVAL = Duration.ofMillis(100);
  private static final Duration TICK = Duration.ofNanos(1);

  private final ManualTicker ticker = new ManualTicker();
  private final Flushes flushes = new Flushes();
  private final Failures failures = new Failures();
  private final List<BatchFlusher<Integer>> opened = new ArrayList<>();

  @AfterEach
  void close() {
    for (int i = 0; i < 100; i++) {
      flushes.succeed();
    }
    for (BatchFlusher<Integer> flusher : opened) {
      flusher.close();
    }
  }

  @Test
  void queueIsBounded() {
    BatchFlusher<Integer> flusher = open(2, 3, Duration.ZERO); // not started: no item is flushed
    assertThat(flusher.offerAll(List.of(1, 2))).isTrue();
    assertThat(flusher.offerAll(List.of(3, 4))).as("all or none").isFalse();
    assertThat(flusher.offer(3)).isTrue();
    assertThat(flusher.offer(4)).isFalse();
    assertThat(flusher.submit(4))
        .failsWithin(Duration.ZERO)
        .withThrowableOfType(ExecutionException.class)
        .withCauseInstanceOf(RejectedExecutionException.class);
    assertThatThrownBy(() -> flusher.offerAll(List.of(1, 2, 3, 4)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("exceed the capacity");
    flusher.start();
  }

  @Test
  void itemsBeingFlushedCountTowardsTheCapacity() throws InterruptedException {
    BatchFlusher<Integer> flusher = started(2, 2, Duration.ZERO);
    assertThat(flusher.offerAll(List.of(1, 2))).isTrue();
    assertThat(flushes.begun()).containsExactly(1, 2);
    assertThat(flusher.offer(3)).isFalse();
    flushes.succeed();
    await().until(() -> flusher.offer(3));
  }

  @Test
  void putWaitsForRoom() throws InterruptedException {
    BatchFlusher<Integer> flusher = started(1, 1, Duration.ZERO);
    flusher.put(1);
    assertThat(flushes.begun()).containsExactly(1);
    Thread putter = putInThread(flusher, 2);
    await().until(() -> putter.getState() == Thread.State.WAITING);
    flushes.succeed();
    assertThat(flushes.begun()).containsExactly(2);
    putter.join();
  }

  @Test
  void flushesWhenTheBatchIsFull() throws InterruptedException {
    BatchFlusher<Integer> flusher = pausing(3, 100);
    flusher.offerAll(List.of(1, 2));
    awaitPause();
    flushes.assertNoneBegun();
    flusher.offer(3);
    assertThat(flushes.begun()).containsExactly(1, 2, 3);
  }

  @Test
  void flushesWhenTheIntervalHasPassed() throws InterruptedException {
    BatchFlusher<Integer> flusher = pausing(10, 100);
    flusher.offer(1);
    awaitPause();
    ticker.advanceInVain(Duration.ofMillis(60));
    flusher.offer(2);
    ticker.advanceInVain(Duration.ofMillis(40).minus(TICK));
    flushes.assertNoneBegun();
    ticker.advance(TICK);
    assertThat(flushes.begun()).containsExactly(1, 2);
  }

  @Test
  void firstItemAfterAnIdlePeriodIsFlushedAtOnce() throws InterruptedException {
    BatchFlusher<Integer> flusher = pausing(10, 100);
    ticker.advanceInVain(INTERVAL);
    flusher.offer(1);
    assertThat(flushes.begun()).containsExactly(1);
  }

  @Test
  void fullBatchRestartsTheInterval() throws InterruptedException {
    BatchFlusher<Integer> flusher = pausing(2, 100);
    flusher.offer(1);
    awaitPause();
    ticker.advanceInVain(Duration.ofMillis(60));
    flusher.offerAll(List.of(2, 3));
    assertThat(flushes.begun()).containsExactly(1, 2);
    int sleeps = ticker.sleeps();
    flushes.succeed();
    ticker.awaitSleeps(sleeps + 1);
    assertThat(ticker.lastWait()).isEqualTo(INTERVAL);
    ticker.advanceInVain(INTERVAL.minus(TICK));
    flushes.assertNoneBegun();
    ticker.advance(TICK);
    assertThat(flushes.begun()).containsExactly(3);
  }

  @Test
  void withoutIntervalFlushesAsSoonAsThePreviousFlushEnds() throws InterruptedException {
    BatchFlusher<Integer> flusher = started(10, 100, Duration.ZERO);
    flusher.offer(1);
    assertThat(flushes.begun()).containsExactly(1);
    flusher.offer(2);
    flusher.offerAll(List.of(3, 4));
    flushes.succeed();
    assertThat(flushes.begun()).containsExactly(2, 3, 4);
  }

  @Test
  void whileAwakeDrainsUpToTheBatchSizeWithoutWaiting() throws InterruptedException {
    BatchFlusher<Integer> flusher = started(3, 100, INTERVAL);
    flusher.offerAll(List.of(1, 2, 3));
    assertThat(flushes.begun()).containsExactly(1, 2, 3);
    flusher.offerAll(List.of(4, 5, 6, 7, 8, 9, 10));
    flushes.succeed();
    assertThat(flushes.begun()).containsExactly(4, 5, 6);
    flushes.succeed();
    assertThat(flushes.begun()).containsExactly(7, 8, 9);
    flushes.succeed();
    awaitPause();
    flushes.assertNoneBegun();
  }

  @Test
  void elapsedIntervalIncludesLaterItems() throws InterruptedException {
    BatchFlusher<Integer> flusher = started(3, 100, INTERVAL);
    flusher.offerAll(List.of(1, 2, 3));
    flushes.begun();
    flusher.offer(4);
    ticker.advance(INTERVAL);
    flusher.offer(5);
    flushes.succeed();
    assertThat(flushes.begun()).containsExactly(4, 5);
  }

  @Test
  void missedTicksAreSkipped() throws InterruptedException {
    BatchFlusher<Integer> flusher = pausing(10, 100);
    flusher.offer(1);
    awaitPause();
    ticker.advance(INTERVAL);
    assertThat(flushes.begun()).containsExactly(1);
    flusher.offer(2);
    ticker.advance(INTERVAL.multipliedBy(7));
    flushes.succeed();
    assertThat(flushes.begun()).containsExactly(2);
    flushes.succeed();
    await().until(() -> !flusher.hasWork());
    flusher.offer(3);
    awaitPause();
    assertThat(ticker.lastWait()).isEqualTo(INTERVAL);
    flushes.assertNoneBegun();
  }

  @Test
  void urgentItemEndsThePause() throws InterruptedException {
    BatchFlusher<Integer> flusher = pausing(10, 100);
    flusher.offer(1);
    awaitPause();
    flusher.offerAll(List.of(2, -3, 4));
    assertThat(flushes.begun()).containsExactly(1, 2, -3, 4);
    flusher.offer(5);
    int sleeps = ticker.sleeps();
    flushes.succeed();
    ticker.awaitSleeps(sleeps + 1);
    flushes.assertNoneBegun(); // the next item is not urgent
    flusher.offer(-6);
    assertThat(flushes.begun()).containsExactly(5, -6);
  }

  @Test
  void failedFlushRetriesItsBatchInOrderWithBackoff() throws InterruptedException {
    BatchFlusher<Integer> flusher = started(3, 100, Duration.ZERO);
    CompletableFuture<Void> durable = flusher.submit(0);
    assertThat(flushes.begun()).containsExactly(0);
    flusher.offerAll(List.of(1, 2, 3, 4));
    flushes.succeed();
    assertThat(durable).succeedsWithin(Duration.ofSeconds(20));
    Duration most = Duration.ofMillis(10);
    for (int i = 0; i < 6; i++) {
      assertThat(flushes.begun()).containsExactly(1, 2, 3);
      int sleeps = ticker.sleeps();
      flushes.fail(new IOException("disk gone"));
      ticker.awaitSleeps(sleeps + 1);
      assertThat(ticker.lastWait()).isBetween(most.dividedBy(2), most);
      flusher.offer(5 + i); // does not end the wait
      flushes.assertNoneBegun();
      ticker.advance(most);
      most = i < 3 ? most.multipliedBy(2) : Duration.ofMillis(100);
    }
    assertThat(flushes.begun()).containsExactly(1, 2, 3);
    flushes.succeed();
    assertThat(flushes.begun()).containsExactly(4, 5, 6);
    int sleeps = ticker.sleeps();
    flushes.fail(new IOException("again"));
    ticker.awaitSleeps(sleeps + 1);
    assertThat(ticker.lastWait()).as("backoff restarts").isLessThan(Duration.ofMillis(11));
    assertThat(failures.all()).isEmpty();
  }

  @Test
  void intakeStopsAtTheBoundWhileFlushesFail() throws InterruptedException {
    BatchFlusher<Integer> flusher = started(2, 4, Duration.ZERO);
    flusher.offerAll(List.of(1, 2));
    for (int i = 0; i < 3; i++) {
      flushes.begun();
      int sleeps = ticker.sleeps();
      flushes.fail(new IOException("disk gone"));
      ticker.awaitSleeps(sleeps + 1);
      assertThat(flusher.offerAll(List.of(3, 4))).isEqualTo(i == 0);
      assertThat(flusher.offer(5)).isFalse();
      ticker.advance(Duration.ofSeconds(1));
    }
    assertThat(flushes.begun()).containsExactly(1, 2);
    flushes.succeed();
    await().until(() -> flusher.offer(5));
    assertThat(flushes.begun()).containsExactly(3, 4);
  }

  @Test
  void closeFlushesTheRemainderAtOnce() throws InterruptedException {
    BatchFlusher<Integer> flusher = pausing(2, 100);
    flusher.offer(1);
    awaitPause();
    CompletableFuture<Void> closed = CompletableFuture.runAsync(flusher::close);
    assertThat(flushes.begun()).containsExactly(1);
    assertThat(flusher.offer(2)).isFalse();
    assertThat(closed).isNotDone();
    flushes.succeed();
    assertThat(closed).succeedsWithin(Duration.ofSeconds(20));
    assertThat(flusher.hasWork()).isFalse();
  }

  @Test
  void closeFlushesAllBatchesOfTheRemainder() throws InterruptedException {
    BatchFlusher<Integer> flusher = started(2, 100, Duration.ZERO);
    flusher.offerAll(List.of(1, 2, 3, 4, 5));
    flushes.begun();
    CompletableFuture<Void> closed = CompletableFuture.runAsync(flusher::close);
    flushes.succeed();
    assertThat(flushes.begun()).containsExactly(3, 4);
    flushes.succeed();
    assertThat(flushes.begun()).containsExactly(5);
    flushes.succeed();
    assertThat(closed).succeedsWithin(Duration.ofSeconds(20));
  }

  @Test
  void closeEndsTheWaitAfterAFailure() throws InterruptedException {
    BatchFlusher<Integer> flusher = started(2, 100, Duration.ZERO);
    flusher.offer(1);
    flushes.begun();
    int sleeps = ticker.sleeps();
    flushes.fail(new IOException("disk gone"));
    ticker.awaitSleeps(sleeps + 1);
    CompletableFuture<Void> closed = CompletableFuture.runAsync(flusher::close);
    assertThat(flushes.begun()).containsExactly(1);
    flushes.succeed();
    assertThat(closed).succeedsWithin(Duration.ofSeconds(20));
  }

  @Test
  void closeIsBoundedWhenFlushesFail() {
    FlushFunction<Integer> failing =
        _ -> {
          throw new IOException("disk gone");
        };
    BatchFlusher<Integer> flusher =
        new BatchFlusher<>(
            options(2, 100, Duration.ZERO, Duration.ofMillis(50)), failing, failures);
    flusher.start();
    CompletableFuture<Void> durable = flusher.submit(1);
    assertThatThrownBy(flusher::close)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("1 items");
    assertThat(durable)
        .failsWithin(Duration.ofSeconds(20))
        .withThrowableOfType(ExecutionException.class)
        .withMessageContaining("before this item was known to be durable");
    flusher.close(); // idempotent
  }

  @Test
  void closeIsBoundedWhenAFlushHangs() throws InterruptedException {
    BatchFlusher<Integer> flusher =
        new BatchFlusher<>(
            options(2, 100, Duration.ZERO, Duration.ofMillis(50)), flushes, failures);
    flusher.start();
    CompletableFuture<Void> durable = flusher.submit(1);
    flushes.begun();
    assertThatThrownBy(flusher::close).isInstanceOf(IllegalStateException.class);
    assertThat(durable).failsWithin(Duration.ofSeconds(20));
  }

  @Test
  void futureCompletesWhenItsBatchIsDurable() throws InterruptedException {
    BatchFlusher<Integer> flusher = started(2, 100, Duration.ZERO);
    CompletableFuture<Void> first = flusher.submit(1);
    assertThat(flushes.begun()).containsExactly(1);
    CompletableFuture<Void> second = flusher.submit(2);
    flusher.offerAll(List.of(3, 4));
    CompletableFuture<Void> fifth = flusher.submit(5);
    assertThat(first).isNotDone();
    flushes.succeed();
    assertThat(first).succeedsWithin(Duration.ofSeconds(20));
    assertThat(flushes.begun()).containsExactly(2, 3);
    assertThat(second).isNotDone();
    flushes.succeed();
    assertThat(second).succeedsWithin(Duration.ofSeconds(20));
    assertThat(flushes.begun()).containsExactly(4, 5);
    assertThat(fifth).isNotDone();
    flushes.succeed();
    assertThat(fifth).succeedsWithin(Duration.ofSeconds(20));
  }

  @Test
  void futureFailsWhenClosedBeforeItsFlush() {
    BatchFlusher<Integer> flusher = open(2, 100, Duration.ZERO); // never started
    CompletableFuture<Void> durable = flusher.submit(1);
    assertThatThrownBy(flusher::close).isInstanceOf(IllegalStateException.class);
    assertThat(durable).failsWithin(Duration.ZERO);
    assertThat(flusher.submit(2)).failsWithin(Duration.ZERO);
    assertThat(flusher.offer(2)).isFalse();
    assertThat(flusher.offerAll(List.of(2))).isFalse();
    assertThatThrownBy(() -> flusher.put(2)).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void closeWakesThreadsInPut() throws InterruptedException {
    BatchFlusher<Integer> flusher = started(1, 1, Duration.ZERO);
    flusher.put(1);
    flushes.begun();
    Thread putter = putInThread(flusher, 2);
    await().until(() -> putter.getState() == Thread.State.WAITING);
    CompletableFuture<Void> closed = CompletableFuture.runAsync(flusher::close);
    putter.join();
    flushes.succeed();
    assertThat(closed).succeedsWithin(Duration.ofSeconds(20));
  }

  @Test
  void fatalFailureStopsTheFlusher() throws InterruptedException {
    assertFailureEndsIt(new Flushes.Fatal());
  }

  @Test
  void errorStopsTheFlusher() throws InterruptedException {
    assertFailureEndsIt(new AssertionError("a bug"));
  }

  private void assertFailureEndsIt(Throwable cause) throws InterruptedException {
    BatchFlusher<Integer> flusher = open(1, 2, Duration.ZERO);
    opened.clear();
    flusher.start();
    CompletableFuture<Void> under = flusher.submit(1);
    CompletableFuture<Void> behind = flusher.submit(2);
    assertThat(flushes.begun()).containsExactly(1);
    Thread putter = putInThread(flusher, 3);
    flushes.fail(cause);
    assertThat(under).failsWithin(Duration.ofSeconds(20));
    assertThat(behind).failsWithin(Duration.ofSeconds(20));
    putter.join();
    assertThat(failures.next()).isEqualTo(new Failures.Failure("flusher", cause));
    assertThat(flusher.offer(4)).isFalse();
    assertThatThrownBy(flusher::close).hasMessageContaining("2 items").hasCause(cause);
    flushes.assertNoneBegun();
  }

  @Test
  void offerWakesTheThreadOnceAndNeverABusyOne() throws InterruptedException {
    BatchFlusher<Integer> flusher = pausing(100, 1000);
    ticker.awaitSleeps(2); // queue is empty, and no item is due before the interval ends
    assertThat(ticker.lastWait()).isEqualTo(INTERVAL);
    for (int i = 0; i < 50; i++) {
      flusher.offer(i);
    }
    assertThat(ticker.sleeps()).as("a pausing flusher is not woken").isEqualTo(2);
    ticker.advance(INTERVAL);
    flushes.begun();
    for (int i = 0; i < 50; i++) {
      flusher.offer(i);
    }
    assertThat(ticker.sleeps()).as("a busy flusher does not wait").isEqualTo(2);
    flushes.succeed();
    ticker.awaitSleeps(3);
    flushes.assertNoneBegun();
    flusher.offer(-1);
    assertThat(flushes.begun()).hasSize(51);
    assertThat(ticker.sleeps()).isEqualTo(3);
  }

  @Test
  void idleRunsWhenEmptyAndAfterItsRequestedDelay() throws InterruptedException {
    flushes.idlePause = Duration.ofMinutes(1).toNanos();
    BatchFlusher<Integer> flusher = started(2, 100, Duration.ZERO);
    await().until(() -> flushes.idles.get() == 1);
    ticker.awaitSleeps(1);
    ticker.advanceInVain(Duration.ofSeconds(59));
    assertThat(flushes.idles).hasValue(1);
    ticker.advance(Duration.ofSeconds(1));
    await().until(() -> flushes.idles.get() == 2);
    flusher.offerAll(List.of(1, 2, 3));
    flushes.begun();
    flushes.succeed();
    flushes.begun();
    assertThat(flushes.idles).as("an item was waiting").hasValue(2);
    flushes.succeed();
    await().until(() -> flushes.idles.get() == 3);
  }

  @Test
  void listIsCopied() throws InterruptedException {
    BatchFlusher<Integer> flusher = started(10, 100, Duration.ZERO);
    flusher.offer(0);
    flushes.begun();
    List<Integer> reused = new ArrayList<>(List.of(1, 2));
    flusher.offerAll(reused);
    reused.clear();
    reused.add(3);
    flusher.offerAll(reused);
    flushes.succeed();
    assertThat(flushes.begun()).containsExactly(1, 2, 3);
  }

  /// Waits until the flusher waits for its interval to pass.
  private void awaitPause() {
    await()
        .until(() -> ticker.lastWait().isPositive() && ticker.lastWait().compareTo(INTERVAL) <= 0);
  }

  private BatchFlusher<Integer> started(int batchSize, int capacity, Duration interval) {
    BatchFlusher<Integer> flusher = open(batchSize, capacity, interval);
    flusher.start();
    return flusher;
  }

  /// Flusher that has just started a flush, and has no further work.
  private BatchFlusher<Integer> pausing(int batchSize, int capacity) throws InterruptedException {
    BatchFlusher<Integer> flusher = started(batchSize, capacity, INTERVAL);
    ticker.awaitSleeps(1);
    flusher.offer(0);
    assertThat(flushes.begun()).containsExactly(0);
    flushes.succeed();
    ticker.awaitSleeps(2);
    return flusher;
  }

  private BatchFlusher<Integer> open(int batchSize, int capacity, Duration interval) {
    BatchFlusher<Integer> flusher =
        new BatchFlusher<>(
            options(batchSize, capacity, interval, Duration.ofSeconds(20)),
            flushes,
            failures,
            ticker,
            new Random(1));
    opened.add(flusher);
    return flusher;
  }

  private static BatchFlusher.Options options(
      int batchSize, int capacity, Duration interval, Duration stopTimeout) {
    return new BatchFlusher.Options(
        "flusher",
        batchSize,
        capacity,
        interval,
        Duration.ofMillis(10),
        Duration.ofMillis(100),
        stopTimeout);
  }

  private static Thread putInThread(BatchFlusher<Integer> flusher, int item) {
    return Thread.ofPlatform()
        .start(() -> {
          try {
            flusher.put(item);
          } catch (InterruptedException | IllegalStateException e) {
            // closed, which the test checks
          }
        });
  }
}
