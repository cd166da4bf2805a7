package io.taskbroker.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(240)
final class TimerWheelTest {
  /// Delays up to more than one rotation of the wheel.
  @Test
  void firesEveryTimerOnceAndNoneEarly() throws Exception {
    int timers = 20_000;
    long seed = System.nanoTime();
    var random = new SplittableRandom(seed);
    var left = new CountDownLatch(timers);
    var fired = new AtomicInteger();
    var early = new AtomicInteger();
    try (var wheel = new TimerWheel("wheel", () -> {})) {
      wheel.start();
      for (int i = 0; i < timers; i++) {
        long delay = random.nextInt(i % 100 == 0 ? 5_000 : 300);
        long due = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(delay);
        wheel.schedule(
            timer(() -> {
              early.addAndGet(System.nanoTime() < due ? 1 : 0);
              fired.incrementAndGet();
              left.countDown();
            }),
            delay);
      }

      assertThat(left.await(60, TimeUnit.SECONDS)).as("seed %d", seed).isTrue();
    }
    assertThat(fired).as("seed %d", seed).hasValue(timers);
    assertThat(early).as("seed %d", seed).hasValue(0);
  }

  @Test
  void anEarlierTimerWakesTheSleepingWheel() throws Exception {
    var fired = new ConcurrentLinkedQueue<String>();
    var one = new CountDownLatch(1);
    try (var wheel = new TimerWheel("wheel", () -> {})) {
      wheel.start();
      wheel.schedule(timer(() -> fired.add("far")), 60_000);
      wheel.schedule(
          timer(() -> {
            fired.add("near");
            one.countDown();
          }),
          20);

      assertThat(one.await(60, TimeUnit.SECONDS)).isTrue();
    }
    assertThat(fired).containsExactly("near");
  }

  private static TimerWheel.Timer timer(Runnable action) {
    return new TimerWheel.Timer() {
      @Override
      void fire() {
        action.run();
      }
    };
  }
}
