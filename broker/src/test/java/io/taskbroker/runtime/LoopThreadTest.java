package io.taskbroker.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(240)
final class LoopThreadTest {
  private static final Duration LONG = Duration.ofSeconds(60);

  private final Failures failures = new Failures();

  @Test
  void takesTurnsInANamedThreadUntilStopped() {
    AtomicInteger turns = new AtomicInteger();
    AtomicReference<String> name = new AtomicReference<>();
    LoopThread loop =
        new LoopThread(
            "some-loop",
            () -> {
              name.set(Thread.currentThread().getName());
              turns.incrementAndGet();
            },
            failures);
    loop.start();
    await().until(() -> turns.get() > 3);
    assertThat(loop.stop(LONG)).isTrue();
    int last = turns.get();
    assertThat(name).hasValue("some-loop");
    assertThat(loop.isStopping()).isTrue();
    assertThat(loop.stop(LONG)).as("again").isTrue();
    assertThat(turns).hasValue(last);
    assertThat(failures.all()).isEmpty();
  }

  @Test
  void turnThatThrowsIsReportedAndEndsTheLoop() throws InterruptedException {
    AssertionError cause = new AssertionError("a bug");
    LoopThread loop =
        new LoopThread(
            "some-loop",
            () -> {
              throw cause;
            },
            failures);
    loop.start();
    assertThat(failures.next()).isEqualTo(new Failures.Failure("some-loop", cause));
    assertThat(loop.stop(LONG)).isTrue();
    assertThat(failures.all()).isEmpty();
  }

  @Test
  void stopInterruptsATurnThatBlocks() throws InterruptedException {
    CountDownLatch blocked = new CountDownLatch(1);
    LoopThread loop =
        new LoopThread(
            "some-loop",
            () -> {
              blocked.countDown();
              new CountDownLatch(1).await();
            },
            failures);
    loop.start();
    blocked.await();
    assertThat(loop.stop(LONG)).isTrue();
    assertThat(failures.all()).isEmpty();
  }

  @Test
  void interruptWithoutAStopIsAFailure() throws InterruptedException {
    AtomicReference<Thread> thread = new AtomicReference<>();
    LoopThread loop =
        new LoopThread(
            "some-loop",
            () -> {
              thread.set(Thread.currentThread());
              new CountDownLatch(1).await();
            },
            failures);
    loop.start();
    await().until(() -> thread.get() != null);
    thread.get().interrupt();
    assertThat(failures.next().cause()).isInstanceOf(InterruptedException.class);
    assertThat(loop.stop(LONG)).isTrue();
  }

  @Test
  void stopUsesTheWakeCallbackAndEndsUninterrupted() throws InterruptedException {
    List<String> steps = new CopyOnWriteArrayList<>();
    CountDownLatch inTurn = new CountDownLatch(1);
    CountDownLatch wake = new CountDownLatch(1);
    LoopThread loop =
        new LoopThread(
            "some-loop",
            new LoopThread.Loop() {
              @Override
              public void turn() throws InterruptedException {
                inTurn.countDown();
                wake.await();
                Thread.currentThread().interrupt(); // an interrupt that came late
                steps.add("turn");
              }

              @Override
              public void wake(Thread thread) {
                steps.add("wake " + thread.getName());
                wake.countDown();
              }

              @Override
              public void end() {
                steps.add("end, interrupted: " + Thread.currentThread().isInterrupted());
              }
            },
            failures);
    loop.start();
    inTurn.await();
    assertThat(loop.stop(LONG)).isTrue();
    assertThat(steps).containsExactly("wake some-loop", "turn", "end, interrupted: false");
  }

  @Test
  void failureAtTheEndIsReported() throws InterruptedException {
    IllegalStateException cause = new IllegalStateException("cannot close");
    LoopThread loop =
        new LoopThread(
            "some-loop",
            new LoopThread.Loop() {
              @Override
              public void turn() {
                Thread.onSpinWait();
              }

              @Override
              public void end() {
                throw cause;
              }
            },
            failures);
    loop.start();
    loop.stop(LONG);
    assertThat(failures.next().cause()).isSameAs(cause);
  }

  @Test
  void unresponsiveLoopIsInterruptedAndAbandoned() throws InterruptedException {
    AtomicInteger interrupts = new AtomicInteger();
    CountDownLatch inTurn = new CountDownLatch(1);
    CountDownLatch release = new CountDownLatch(1);
    LoopThread loop =
        new LoopThread(
            "some-loop",
            () -> {
              inTurn.countDown();
              while (release.getCount() > 0) {
                LockSupport.park();
                if (Thread.interrupted()) {
                  interrupts.incrementAndGet();
                }
              }
            },
            failures);
    loop.start();
    inTurn.await();
    assertThat(loop.stop(Duration.ofMillis(20))).isFalse();
    assertThat(interrupts).hasPositiveValue();
    release.countDown();
    assertThat(loop.stop(Duration.ofMillis(20))).isTrue();
  }

  @Test
  void stoppingItselfDoesNotHang() {
    AtomicReference<LoopThread> self = new AtomicReference<>();
    AtomicReference<Boolean> ended = new AtomicReference<>();
    self.set(new LoopThread("some-loop", () -> ended.set(self.get().stop(LONG)), failures));
    self.get().start();
    await().until(() -> ended.get() != null);
    assertThat(ended).hasValue(false);
    assertThat(self.get().stop(LONG)).isTrue();
  }

  @Test
  void startsOnceAndNotAfterAStop() {
    LoopThread loop = new LoopThread("some-loop", Thread::onSpinWait, failures);
    loop.start();
    assertThatThrownBy(loop::start).hasMessage("some-loop was started before");
    loop.stop(LONG);

    LoopThread latent = new LoopThread("other-loop", Thread::onSpinWait, failures);
    assertThat(latent.stop(LONG)).isTrue();
    assertThatThrownBy(latent::start).hasMessage("other-loop was stopped before");
  }
}
