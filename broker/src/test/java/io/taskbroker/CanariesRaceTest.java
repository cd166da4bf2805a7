package io.taskbroker;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.inflight.api.EnqueueOutcome;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Canary tasks whose replies race with start and stop: one at a time, no more than configured, and
/// none after the stop except the pending one.
@Tag("concurrency")
@Timeout(240)
final class CanariesRaceTest {
  private static final int EACH = 5;

  @Test
  void g7OneAtATimeAndNoneAfterTheStop() {
    Race.of(
        500,
        Engine::new,
        List.of(Engine::start, Engine::answer, engine -> engine.canaries.stop()),
        engine -> {
          assertThat(engine.most).hasValueLessThanOrEqualTo(1);
          assertThat(engine.made).hasValueLessThanOrEqualTo(EACH);
          int made = engine.made.get();
          engine.answer();
          assertThat(engine.made).as("made after the stop").hasValue(made);
        });
  }

  private static final class Engine implements CommandSink {
    private final Queue<Command.Enqueue> asked = new ConcurrentLinkedQueue<>();
    private final AtomicInteger now = new AtomicInteger();
    private final AtomicInteger most = new AtomicInteger();
    private final AtomicInteger made = new AtomicInteger();
    private final Canaries canaries = new Canaries("topic", List.of("app"), EACH, this);

    private void start() {
      canaries.start();
    }

    private void answer() {
      for (int i = 0; i < 10 * EACH; i++) {
        Command.Enqueue enqueue = asked.poll();
        if (enqueue != null) {
          now.decrementAndGet();
          enqueue.reply().done(List.of(EnqueueOutcome.ACCEPTED));
        }
      }
    }

    @Override
    public void request(Command.Request request) {
      made.incrementAndGet();
      most.accumulateAndGet(now.incrementAndGet(), Math::max);
      asked.add((Command.Enqueue) request);
    }

    @Override
    public void submit(Command command) {
      throw new AssertionError("Canaries submit no commands");
    }
  }
}
