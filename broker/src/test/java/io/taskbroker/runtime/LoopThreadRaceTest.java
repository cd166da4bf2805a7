package io.taskbroker.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.Race;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The life of a [LoopThread]: whoever starts and stops it at the same time, its end is done once,
/// before a stop returns, and it is not woken after that has begun.
@Tag("concurrency")
@Timeout(120)
final class LoopThreadRaceTest {
  private static final Duration LONG = Duration.ofSeconds(30);

  @Test
  void aLoopThatIsStoppedWhileItStartsEndsOnceOrNeverBegins() {
    Race.of(
        1_000,
        Waiting::new,
        List.of(Waiting::start, Waiting::stop, Waiting::stop),
        loop -> {
          assertThat(loop.failure).isEmpty();
          assertThat(loop.ends).isEqualTo(loop.started ? 1 : 0);
          assertThat(loop.wakes).isLessThanOrEqualTo(1);
          assertThat(loop.wokenAfterEnd).isFalse();
          assertThat(loop.stoppedBeforeEnd).isFalse();
        });
  }

  /// Waits in its turn until it is woken.
  private static final class Waiting implements LoopThread.Loop, FailureSink {
    private final LoopThread thread = new LoopThread("loop", this, this);
    private volatile boolean started;
    private int wakes;
    private int ends;
    private boolean wokenAfterEnd;
    private boolean stoppedBeforeEnd;
    private String failure = "";

    private void start() {
      try {
        thread.start();
        started = true;
      } catch (IllegalStateException _) {
        // It was stopped before.
      }
    }

    private void stop() {
      boolean over = thread.stop(LONG);
      synchronized (this) {
        stoppedBeforeEnd |= !over || (started && ends == 0);
      }
    }

    @Override
    public synchronized void turn() throws InterruptedException {
      while (wakes == 0) {
        wait();
      }
    }

    @Override
    public synchronized void wake(Thread woken) {
      wokenAfterEnd |= ends > 0;
      wakes++;
      notifyAll();
    }

    @Override
    public synchronized void end() {
      ends++;
    }

    @Override
    public synchronized void failed(String stage, Throwable cause) {
      failure = cause.toString();
    }
  }
}
