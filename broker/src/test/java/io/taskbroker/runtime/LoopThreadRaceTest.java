package io.taskbroker.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.Race;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Lifecycle of a [LoopThread] under concurrent start and stop: its end runs once, before any stop
/// returns, and it is not woken after its end has begun.
@Tag("concurrency")
@Timeout(240)
final class LoopThreadRaceTest {
  private static final Duration LONG = Duration.ofSeconds(30);

  @Test
  void stopDuringStartEndsTheLoopOnceOrPreventsIt() {
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

  /// Loop whose turn waits until woken.
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
        // stopped before the start
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
