package io.taskbroker.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.LogCapture;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.inflight.api.Delivery;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.inflight.api.EngineOptions;
import io.taskbroker.inflight.api.OutboxRecord;
import io.taskbroker.inflight.api.TokenEpoch;
import io.taskbroker.runtime.Failures;
import io.taskbroker.runtime.LoopThread;
import io.taskbroker.runtime.SystemContext;
import io.taskbroker.runtime.Ticker;
import io.taskbroker.store.StoreQuery;
import java.time.InstantSource;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/// Stop of an engine that is about to sleep.
@Timeout(240)
final class EngineStopTest {
  @RegisterExtension private final LogCapture log = LogCapture.of(LoopThread.class);

  /// A lock that the engine waits for consumes the permit of a wake-up.
  @Test
  void h25StopsAtOnceAlthoughALockConsumedTheWakeUp() throws InterruptedException {
    var ticker = new HeldTicker();
    var failures = new Failures();
    var engine =
        new EngineLoop(
            options(),
            new Mailbox(16),
            new NoPorts().ports(),
            new SystemContext(ticker, InstantSource.system(), new SplittableRandom(1)),
            new TokenEpoch(1),
            failures);
    ticker.holds = true;
    engine.start();
    ticker.blocked.await();
    Thread stopper = Thread.ofPlatform().start(engine::stop);
    await().until(() -> stopper.getState() == Thread.State.TIMED_WAITING);

    ticker.goOn.countDown();

    stopper.join();
    assertThat(log.lines()).as("interrupted after the stop timeout").isEmpty();
    assertThat(failures.all()).isEmpty();
  }

  private static EngineOptions options() {
    return new EngineOptions(
        null,
        "retries",
        "dead-letters",
        new EngineOptions.Limits(100, 100, 100, 5, 0, 1_000_000, 1_000, 10),
        new EngineOptions.Periods(3_000, 10_000, 1_000, 60_000, 2_000, 300_000, 600_000));
  }

  /// Blocks the first caller that asks for the time.
  private static final class HeldTicker implements Ticker {
    private final CountDownLatch blocked = new CountDownLatch(1);
    private final CountDownLatch goOn = new CountDownLatch(1);
    private volatile boolean holds;

    @Override
    public long nanoTime() {
      if (holds) {
        holds = false;
        blocked.countDown();
        try {
          goOn.await();
        } catch (InterruptedException e) {
          throw new IllegalStateException(e);
        }
      }
      return System.nanoTime();
    }

    @Override
    public void await(ReentrantLock lock, Condition condition, long until) {
      throw new AssertionError("Nobody waits here");
    }
  }

  private static final class NoPorts implements AllPorts {
    @Override
    public void submit(List<Change> changes, List<StoreQuery> queries) {}

    @Override
    public void push(Delivery delivery) {}

    @Override
    public void produce(OutboxRecord outboxRecord) {}

    @Override
    public void consumed(
        SourcePartition partition, long nextOffset, int records, long bytes, boolean urgent) {}

    @Override
    public void drained(SourcePartition partition) {}

    @Override
    public void unexpected(Change change, ChangeOutcome outcome) {
      throw new AssertionError(outcome + " of " + change);
    }

    @Override
    public void event(EngineEvent notice, String id, String detail) {}
  }
}
