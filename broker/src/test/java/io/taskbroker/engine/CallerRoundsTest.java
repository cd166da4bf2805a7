package io.taskbroker.engine;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.FailurePolicy;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.inflight.api.Delivery;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.inflight.api.EngineOptions;
import io.taskbroker.inflight.api.OutboxRecord;
import io.taskbroker.inflight.api.Rules;
import io.taskbroker.runtime.Failures;
import io.taskbroker.store.InMemoryStore;
import io.taskbroker.store.StoreQuery;
import java.time.InstantSource;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.jctools.queues.MpscArrayQueue;
import org.jctools.queues.MpscUnboundedArrayQueue;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// At low load senders run the engine themselves and do not wake its thread (ADR 16). Counts
/// wake-ups, so that the test also holds on a busy machine.
@Timeout(240)
final class CallerRoundsTest {
  private static final SourcePartition PARTITION =
      new SourcePartition("cluster", "group", "id", "tasks", 0);

  /// Fewer rounds than senders may run in one window.
  private static final int CLAIMS = 40;

  private final AtomicInteger wakeUps = new AtomicInteger();
  private final Mailbox mailbox =
      new Mailbox(new MpscUnboundedArrayQueue<>(64), new MpscArrayQueue<>(64), new Counted());
  private final CommandSink working = mailbox.workingIntake();
  private final Failures failures = new Failures();
  private final InstantPorts ports = new InstantPorts();
  private final EngineLoop engine =
      new EngineLoop(
          options(),
          mailbox,
          ports.ports(),
          InstantSource.system(),
          new SplittableRandom(1),
          failures);

  @BeforeEach
  void startAndFallAsleep() {
    long _ = engine.load(new InMemoryStore(new InMemoryStore.Disk()), Rules.NONE);
    engine.start();
    await().until(() -> claimant() == Thread.currentThread());
  }

  @AfterEach
  void stop() {
    engine.stop();
  }

  @Test
  void smallCommandsToASleepingEngineRunInTheSender() {
    int before = wakeUps.get();
    for (int i = 0; i < CLAIMS; i++) {
      assertThat(claimant()).isSameAs(Thread.currentThread());
    }
    assertThat(wakeUps.get()).as("wake-ups of the engine's thread").isEqualTo(before);
  }

  @Test
  void h14LargeCommandsRunInTheEnginesThread() {
    await()
        .until(() -> {
          for (int i = 0; i < 1_000; i++) {
            if (claimant() != Thread.currentThread()) {
              return true;
            }
          }
          return false;
        });
  }

  /// A timer set in a sender's round still fires: the engine's thread adjusts its wake-up time.
  @Test
  void g5TimersFireInTheEnginesThread() throws InterruptedException {
    working.submit(new Command.PartitionAssigned(PARTITION, 0));
    await().until(() -> claimant() == Thread.currentThread());
    long delayUntil = System.currentTimeMillis() + 300;
    working.submit(
        new Command.Ingest(
            PARTITION, List.of(new Command.IngestedRecord(activation(delayUntil), null)), 1, 100));
    Pushed pushed = ports.pushed.poll(60, SECONDS);

    assertThat(pushed).isNotNull();
    assertThat(pushed.at()).isGreaterThanOrEqualTo(delayUntil);
    assertThat(pushed.by().getName()).isEqualTo("engine");
  }

  @Test
  void failedRoundFailsTheStageAndNotTheSender() throws InterruptedException {
    var claim =
        new Command.Claim(
            null,
            null,
            new Reply() {
              @Override
              public void done(@Nullable Delivery delivery) {
                throw new IllegalStateException("reply failed");
              }
            });
    working.request(claim);

    Failures.Failure failure = failures.next();
    assertThat(failure.stage()).isEqualTo("engine");
    assertThat(failure.cause()).hasMessage("reply failed");
  }

  /// Thread that answers a claim.
  private Thread claimant() {
    var answered = new LinkedBlockingQueue<Thread>();
    working.request(
        new Command.Claim(
            null,
            null,
            new Reply() {
              @Override
              public void done(@Nullable Delivery delivery) {
                answered.add(Thread.currentThread());
              }
            }));
    try {
      return answered.take();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Activation activation(long delayUntil) {
    return new Activation(
        "delayed",
        "app",
        "ns",
        "task",
        new byte[100],
        new Origin("tasks", 0, 0),
        System.currentTimeMillis(),
        Activation.NEVER,
        delayUntil,
        10,
        FailurePolicy.DISCARD,
        false,
        false);
  }

  private static EngineOptions options() {
    return new EngineOptions(
        Set.of("app"),
        "retries",
        "dead-letters",
        new EngineOptions.Limits(100, 100, 100, 5, 0, 1_000_000, 1_000, 10),
        new EngineOptions.Periods(3_000, 10_000, 1_000, 60_000, 2_000, 300_000, 600_000));
  }

  private record Pushed(Thread by, long at) {}

  private abstract static class Reply implements Command.ClaimReply {
    @Override
    public void unavailable(String why) {}
  }

  private final class Counted implements EngineOwnership.ThreadParking {
    @Override
    public void park(Object blocker, long nanos) {
      SYSTEM.park(blocker, nanos);
    }

    @Override
    public void unpark(Thread thread) {
      wakeUps.incrementAndGet();
      SYSTEM.unpark(thread);
    }
  }

  /// AllPorts that commit at once and confirm through their own command sink.
  private final class InstantPorts implements AllPorts {
    private final BlockingQueue<Pushed> pushed = new LinkedBlockingQueue<>();

    @Override
    public void submit(List<Change> changes, List<StoreQuery> queries) {
      mailbox.submit(new Command.Committed(changes));
    }

    @Override
    public void push(Delivery delivery) {
      pushed.add(new Pushed(Thread.currentThread(), System.currentTimeMillis()));
    }

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
