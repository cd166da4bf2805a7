package io.taskbroker.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Timestamp;
import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.FailurePolicy;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.Delivery;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.inflight.api.EngineOptions;
import io.taskbroker.inflight.api.OutboxRecord;
import io.taskbroker.inflight.api.Rules;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.runtime.SystemContext;
import io.taskbroker.runtime.Ticker;
import io.taskbroker.store.InMemoryStore;
import io.taskbroker.store.StoreQuery;
import io.taskbroker.store.WriteBatch;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// Time of a command, after a long idle period (found by simulation) and in a long round.
final class IdleEngineTest {
  private static final long START = 1_700_000_000_000L;

  private final InMemoryStore store = new InMemoryStore(new InMemoryStore.Disk());
  private final Mailbox mailbox = new Mailbox(16);
  private final List<String> delivered = new ArrayList<>();
  private final List<EngineEvent> notices = new ArrayList<>();
  private final List<Change.Forward> forwards = new ArrayList<>();
  private long millis = 1_000;

  /// The processing deadline counts from the delivery, not from the engine's last activity:
  /// otherwise it would pass at once and another worker would get the same task.
  @Test
  void g5DeadlineAfterALongWaitCountsFromTheDelivery() {
    SteppedEngine engine = engineWith(Activation.NEVER);
    millis += 600_000;
    claim(engine);
    claim(engine);
    assertThat(delivered).containsExactly("waiting");
    assertThat(notices).doesNotContain(EngineEvent.DEADLINE_PASSED);
  }

  @Test
  void g5TaskThatExpiredWhileTheEngineStalledIsNotDelivered() {
    SteppedEngine engine = engineWith(START + 30_000);
    millis += 600_000;
    claim(engine);
    assertThat(delivered).isEmpty();
    assertThat(notices).contains(EngineEvent.EXPIRED);
  }

  /// A round takes time, and commands that arrive meanwhile join it: they have a later time than
  /// the start of the round.
  @Test
  void g5DelayOfARetryCountsFromItsReportInALongRound() throws InvalidProtocolBufferException {
    SteppedEngine engine = engineWith(Activation.NEVER);
    claim(engine);
    var arrivedAt = new AtomicLong();
    mailbox.submit(
        new Command.ReadStats(_ -> {
          millis += 23;
          arrivedAt.set(START + millis);
          mailbox.request(
              new Command.Report(
                  List.of(new Command.Update("waiting", Status.RETRY, 3, 1)), null, new Answer()));
        }));
    var _ = engine.round();
    assertThat(forwards).hasSize(1);
    var retry = TaskActivation.parseFrom(forwards.getFirst().payload());
    assertThat(retry.getDelay()).isOne();
    assertThat(millis(retry.getReceivedAt())).isGreaterThan(arrivedAt.get());
  }

  @Test
  void g5DeadlineCountsFromTheDeliveryInALongRound() {
    SteppedEngine engine = engineWith(Activation.NEVER);
    mailbox.submit(
        new Command.ReadStats(_ -> {
          millis += 12_000;
          mailbox.request(new Command.Claim(null, null, new Reply()));
        }));
    var _ = engine.round();
    assertThat(delivered).containsExactly("waiting");
    millis += 12_999;
    var _ = engine.round();
    assertThat(notices).doesNotContain(EngineEvent.DEADLINE_PASSED);
    millis += 1;
    var _ = engine.round();
    assertThat(notices).contains(EngineEvent.DEADLINE_PASSED);
  }

  private static long millis(Timestamp time) {
    return time.getSeconds() * 1000 + time.getNanos() / 1_000_000;
  }

  private SteppedEngine engineWith(long expiresAt) {
    var activation =
        new Activation(
            "waiting",
            "app",
            "ns",
            "task",
            TaskActivation.newBuilder().setId("waiting").build().toByteArray(),
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
    var engine = new SteppedEngine(options(), mailbox, new RecordingPorts(), context());
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

  private static EngineOptions options() {
    return new EngineOptions(
        null,
        "retries",
        "dead-letters",
        new EngineOptions.Limits(100, 100, 100, 5, 0, 1_000_000, 1_000, 10),
        new EngineOptions.Periods(3_000, 10_000, 1_000, 60_000, 2_000, 300_000, 600_000));
  }

  private SystemContext context() {
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
    return new SystemContext(
        ticker, () -> Instant.ofEpochMilli(START + millis), new SplittableRandom(1));
  }

  private final class Reply implements Command.ClaimReply {
    @Override
    public void done(@Nullable Delivery delivery) {
      if (delivery != null) {
        delivered.add(delivery.id());
      }
    }

    @Override
    public void unavailable(String why) {
      throw new AssertionError(why);
    }
  }

  private static final class Answer implements Command.ReportReply {
    @Override
    public void done(@Nullable Delivery next) {}

    @Override
    public void unavailable(String why) {
      throw new AssertionError(why);
    }
  }

  private final class RecordingPorts implements AllPorts {
    @Override
    public void submit(List<Change> changes, List<StoreQuery> queries) {
      for (Change change : changes) {
        if (change instanceof Change.Forward forward) {
          forwards.add(forward);
        }
      }
    }

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
    public void event(EngineEvent notice, String id, String detail) {
      notices.add(notice);
    }
  }
}
