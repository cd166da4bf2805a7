package io.taskbroker.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Timeout;

/// Many threads submit in every way while flushes fail at times: no item is lost or flushed twice,
/// each producer's order is kept, and no future completes early.
@Timeout(240)
final class BatchFlusherStressTest {
  private static final int PRODUCERS = 4;
  private static final int ITEMS = 20_000;

  private record Item(int producer, int number) {}

  @RepeatedTest(10)
  void nothingIsLostNothingComesTwiceAndOrderIsKept() throws InterruptedException {
    long seed = ThreadLocalRandom.current().nextLong();
    Random random = new Random(seed);
    int batchSize = 1 + random.nextInt(200);
    int capacity = batchSize + random.nextInt(1000);
    Duration interval = random.nextBoolean() ? Duration.ZERO : Duration.ofNanos(100_000);
    String run = "seed " + seed + ", batches of " + batchSize + " of " + capacity + ", " + interval;

    AtomicInteger[] durable = new AtomicInteger[PRODUCERS];
    for (int i = 0; i < PRODUCERS; i++) {
      durable[i] = new AtomicInteger();
    }
    ConcurrentLinkedQueue<String> faults = new ConcurrentLinkedQueue<>();
    Failures failures = new Failures();
    FlushFunction<Item> function =
        batch -> {
          if (batch.isEmpty() || batch.size() > batchSize) {
            faults.add("A batch of " + batch.size());
          }
          if (random.nextInt(20) == 0) {
            throw new IOException("now and then");
          }
          for (Item item : batch) {
            if (!durable[item.producer()].compareAndSet(item.number(), item.number() + 1)) {
              faults.add(item + " after " + durable[item.producer()]);
            }
          }
        };
    BatchFlusher<Item> flusher =
        new BatchFlusher<>(
            new BatchFlusher.Options(
                "stress",
                batchSize,
                capacity,
                interval,
                Duration.ofNanos(1_000),
                Duration.ofNanos(100_000),
                Duration.ofSeconds(30)),
            function,
            failures);
    flusher.start();
    List<Thread> producers = new ArrayList<>();
    for (int producer = 0; producer < PRODUCERS; producer++) {
      int number = producer;
      Random choices = new Random(seed + 1 + producer);
      producers.add(
          Thread.ofPlatform()
              .start(() -> {
                try {
                  produce(
                      flusher, number, Math.min(capacity, 100), choices, durable[number], faults);
                } catch (Exception e) {
                  faults.add(e.toString());
                }
              }));
    }
    for (Thread producer : producers) {
      producer.join();
    }
    flusher.close();
    assertThat(faults).as(run).isEmpty();
    assertThat(durable).as(run).allMatch(count -> count.get() == ITEMS);
    assertThat(failures.all()).as(run).isEmpty();
  }

  private static void produce(
      BatchFlusher<Item> flusher,
      int producer,
      int most,
      Random random,
      AtomicInteger durable,
      ConcurrentLinkedQueue<String> faults)
      throws InterruptedException {
    int next = 0;
    while (next < ITEMS) {
      int number = next;
      switch (random.nextInt(4)) {
        case 0 -> {
          flusher.put(new Item(producer, number));
          next++;
        }
        case 1 -> next += flusher.offer(new Item(producer, number)) ? 1 : 0;
        case 2 -> {
          CompletableFuture<Void> future = flusher.submit(new Item(producer, number));
          if (!future.isCompletedExceptionally()) {
            next++;
            var _ =
                future.thenRun(() -> {
                  if (durable.get() <= number) {
                    faults.add("The future of " + number + " was early");
                  }
                });
          }
        }
        default -> {
          List<Item> items = new ArrayList<>();
          int size = Math.min(1 + random.nextInt(most), ITEMS - next);
          for (int i = 0; i < size; i++) {
            items.add(new Item(producer, number + i));
          }
          next += flusher.offerAll(items) ? size : 0;
        }
      }
    }
  }
}
