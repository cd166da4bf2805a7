package io.taskbroker.deliver;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.Race;
import io.taskbroker.inflight.Deliveries;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.telemetry.Metrics;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Pushes concurrent with start and stop: the engine receives exactly one outcome per activation.
@Tag("concurrency")
@Timeout(240)
final class PushClientRaceTest {
  private static final int PUSHES = 20;

  @Test
  void h09EveryPushEndsOnceDuringStartAndStop() {
    Race.of(
        50,
        Pushing::new,
        List.of(Pushing::push, pushing -> pushing.client.start()),
        pushing -> {
          pushing.client.stop();
          pushing.check();
        });
    Race.of(
        50,
        Pushing::started,
        List.of(Pushing::push, pushing -> pushing.client.stop()),
        Pushing::check);
  }

  @Test
  void h09EveryPushEndsOnceWithoutAStart() {
    Race.of(
        2_000,
        Pushing::new,
        List.of(Pushing::push, pushing -> pushing.client.stop()),
        Pushing::check);
  }

  private static final class Pushing implements CommandSink {
    private static final Metrics METRICS = new Metrics();

    private final Queue<String> reported = new ConcurrentLinkedQueue<>();
    private final PushClient client =
        new PushClient(
            Map.of("app", URI.create("http://127.0.0.1:1")),
            new PushOptions(List.of(), Duration.ofSeconds(5), 1_000),
            this,
            METRICS);

    private static Pushing started() {
      var pushing = new Pushing();
      pushing.client.start();
      return pushing;
    }

    private void push() {
      for (int i = 0; i < PUSHES; i++) {
        client.push(Deliveries.of("id-" + i, "app", new byte[1]));
      }
    }

    private void check() {
      assertThat(reported)
          .containsExactlyInAnyOrderElementsOf(
              IntStream.range(0, PUSHES).mapToObj(i -> "id-" + i).toList());
    }

    @Override
    public void request(Command.Request request) {
      throw new AssertionError("The push client makes no requests");
    }

    @Override
    public void submit(Command command) {
      reported.add(((Command.PushEnded) command).delivery().id());
    }
  }
}
