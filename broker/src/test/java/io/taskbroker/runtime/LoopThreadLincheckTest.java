package io.taskbroker.runtime;

import static io.taskbroker.Interleavings.check;
import static io.taskbroker.Interleavings.join;
import static io.taskbroker.Interleavings.start;

import io.taskbroker.Interleavings;
import io.taskbroker.Interleavings.Actor;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The life of a [LoopThread]: whoever starts and stops it at the same time, its end is done once,
/// and it is not woken after that has begun.
@Tag("concurrency")
@Timeout(300)
final class LoopThreadLincheckTest {
  @Test
  void aLoopThatIsStoppedWhileItStartsEndsOnceOrNeverBegins() {
    Interleavings.of(() -> {
      var loop = new Waiting();
      var thread = new LoopThread("loop", loop, loop);
      boolean[] started = new boolean[1];
      Actor starter =
          start(() -> {
            try {
              thread.start();
              started[0] = true;
            } catch (IllegalStateException _) {
              // It was stopped before.
            }
          });
      Actor other = start(() -> thread.stop(Duration.ofDays(1)));
      thread.stop(Duration.ofDays(1));
      join(starter, other);
      if (started[0]) {
        loop.ended.await();
      }
      check(thread.isStopping(), "not stopping");
      check(loop.failure.isEmpty(), loop.failure);
      check(loop.ends == (started[0] ? 1 : 0), loop.ends + " ends, started: " + started[0]);
      check(loop.wakes <= 1 && !loop.wokenAfterEnd, loop.wakes + " wakes");
    });
  }

  /// Waits in its turn until it is woken.
  private static final class Waiting implements LoopThread.Loop, FailureSink {
    private final CountDownLatch ended = new CountDownLatch(1);
    private int wakes;
    private int ends;
    private boolean wokenAfterEnd;
    private String failure = "";

    @Override
    public synchronized void turn() throws InterruptedException {
      while (wakes == 0) {
        wait();
      }
    }

    @Override
    public synchronized void wake(Thread thread) {
      wokenAfterEnd |= ends > 0;
      wakes++;
      notifyAll();
    }

    @Override
    public synchronized void end() {
      ends++;
      ended.countDown();
    }

    @Override
    public synchronized void failed(String stage, Throwable cause) {
      failure = cause.toString();
    }
  }
}
