package io.taskbroker.outbox;

import static io.taskbroker.Interleavings.check;
import static io.taskbroker.Interleavings.join;
import static io.taskbroker.Interleavings.shared;
import static io.taskbroker.Interleavings.start;

import io.taskbroker.Interleavings;
import io.taskbroker.Interleavings.Actor;
import io.taskbroker.activation.Destination;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.inflight.api.OutboxRecord;
import io.taskbroker.runtime.SystemContext;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A record from the engine wakes the outbox, and ends once (G4).
@Tag("concurrency")
@Timeout(300)
final class OutboxLincheckTest {
  @Test
  void g4ARecordThatArrivesWhileTheOutboxGoesToSleepIsNotMissed() {
    SystemContext system = SystemContext.system();
    var noCluster = new OutboxOptions(OutboxLincheckTest::noCluster, 1_000);
    Interleavings.of(() -> {
      var engine = new Engine();
      var outbox =
          shared(
              new Outbox(
                  noCluster,
                  engine,
                  (stage, cause) -> {
                    throw new IllegalStateException(stage, cause);
                  },
                  system,
                  _ -> {
                    throw new IllegalStateException("There is no cluster");
                  }));
      Actor sender =
          start(() -> {
            outbox.produce(outboxRecord("a"));
            outbox.produce(outboxRecord("b"));
          });
      while (engine.ended.size() < 2) {
        check(outbox.turn(), "the outbox ended");
      }
      join(sender);
      check(engine.ended.equals(List.of("a", "b")), engine.ended);
    });
  }

  /// No cluster: each record is refused at once, so that the outbox waits for new records only.
  private static @Nullable Map<String, String> noCluster(Destination destination) {
    return null;
  }

  private static OutboxRecord outboxRecord(String id) {
    return new OutboxRecord(id, id, new byte[1], new Destination("topic", "", Map.of()), id);
  }

  private static final class Engine implements CommandSink {
    private final List<String> ended = new ArrayList<>();

    @Override
    public void request(Command.Request request) {
      throw new IllegalStateException("The outbox sends no requests");
    }

    @Override
    public void submit(Command command) {
      ended.add(((Command.ProduceRefused) command).record().id());
    }
  }
}
