package io.taskbroker.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.FailurePolicy;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.Command;
import io.taskbroker.inflight.Delivery;
import io.taskbroker.inflight.Departure;
import io.taskbroker.inflight.InflightOptions;
import io.taskbroker.inflight.Notice;
import io.taskbroker.inflight.Rules;
import io.taskbroker.runtime.Surroundings;
import io.taskbroker.runtime.Ticker;
import io.taskbroker.store.ActivationStore.ParkedQuery;
import io.taskbroker.store.InMemoryStore;
import io.taskbroker.store.WriteBatch;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// An engine that had nothing to do for long, and then is asked for something. Found by simulation.
final class IdleEngineTest {
  private static final long START = 1_700_000_000_000L;

  private final InMemoryStore store = new InMemoryStore(new InMemoryStore.Disk());
  private final Mailbox mailbox = new Mailbox(16);
  private final List<String> handedOut = new ArrayList<>();
  private final List<Notice> notices = new ArrayList<>();
  private long millis = 1_000;

  /// The processing deadline counts from the hand-out, not from when the engine last did something:
  /// otherwise it would have passed at once, and the next worker would get the same task.
  @Test
  void g5DeadlineOfATaskThatWaitedLongCountsFromItsHandOut() {
    SteppedEngine engine = engineWith(Activation.NEVER);
    millis += 600_000;
    claim(engine);
    claim(engine);
    assertThat(handedOut).containsExactly("waiting");
    assertThat(notices).doesNotContain(Notice.DEADLINE_PASSED);
  }

  @Test
  void g5TaskThatExpiredWhileTheEngineWasHeldUpIsNotHandedOut() {
    SteppedEngine engine = engineWith(START + 30_000);
    millis += 600_000;
    claim(engine);
    assertThat(handedOut).isEmpty();
    assertThat(notices).contains(Notice.EXPIRED);
  }

  private SteppedEngine engineWith(long expiresAt) {
    var activation =
        new Activation(
            "waiting",
            "app",
            "ns",
            "task",
            new byte[10],
            new Origin("tasks", 0, 0),
            START,
            expiresAt,
            0,
            10,
            FailurePolicy.DISCARD,
            false,
            false);
    Row row = Row.arriving(1, activation, Status.PENDING, START);
    var _ = store.commit(new WriteBatch(1, List.of(new Change.Insert(row, null))));
    var engine = new SteppedEngine(options(), mailbox, new Nowhere(), surroundings());
    engine.start(store, Rules.NONE);
    millis += 5_000;
    var _ = engine.round();
    return engine;
  }

  private void claim(SteppedEngine engine) {
    mailbox.request(new Command.Claim(null, null, new Reply()));
    var _ = engine.round();
    var _ = engine.round();
  }

  private static InflightOptions options() {
    return new InflightOptions(
        null,
        "retries",
        "dead-letters",
        new InflightOptions.Limits(100, 100, 100, 5, 0, 1_000_000, 1_000, 10),
        new InflightOptions.Periods(3_000, 10_000, 1_000, 60_000, 2_000, 300_000, 600_000));
  }

  private Surroundings surroundings() {
    var ticker =
        new Ticker() {
          @Override
          public long nanoTime() {
            return millis * 1_000_000;
          }

          @Override
          public void await(ReentrantLock lock, Condition condition, long until) {
            throw new AssertionError("Nobody waits here");
          }
        };
    return new Surroundings(
        ticker, () -> Instant.ofEpochMilli(START + millis), new SplittableRandom(1));
  }

  private final class Reply implements Command.ClaimReply {
    @Override
    public void done(@Nullable Delivery delivery) {
      if (delivery != null) {
        handedOut.add(delivery.id());
      }
    }

    @Override
    public void unavailable(String why) {
      throw new AssertionError(why);
    }
  }

  private final class Nowhere implements Outlets {
    @Override
    public void commit(List<Change> changes, List<ParkedQuery> reads) {}

    @Override
    public void push(Delivery delivery) {}

    @Override
    public void produce(Departure departure) {}

    @Override
    public void consumed(
        SourcePartition partition, long nextOffset, int records, long bytes, boolean urgent) {}

    @Override
    public void drained(SourcePartition partition) {}

    @Override
    public void notice(Notice notice, String id, String detail) {
      notices.add(notice);
    }
  }
}
