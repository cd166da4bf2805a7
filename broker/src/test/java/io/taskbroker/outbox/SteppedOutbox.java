package io.taskbroker.outbox;

import io.taskbroker.inflight.Departure;
import io.taskbroker.inflight.Intake;
import io.taskbroker.runtime.Surroundings;
import java.util.Map;
import java.util.function.Supplier;
import org.apache.kafka.clients.producer.Producer;

/// The real outbox without its thread, turned by a simulation.
public final class SteppedOutbox {
  private final Outbox outbox;

  public SteppedOutbox(
      Intake intake, Surroundings surroundings, Supplier<Producer<byte[], byte[]>> producers) {
    this.outbox =
        new Outbox(
            new OutboxOptions(_ -> Map.of(), 1 << 20),
            intake,
            (stage, cause) -> {
              throw new IllegalStateException(stage, cause);
            },
            surroundings,
            _ -> producers.get());
  }

  public void produce(Departure departure) {
    outbox.produce(departure);
  }

  /// Takes a turn if one is due.
  ///
  /// @return when the next is due, in nanoseconds from now
  public long turn() {
    if (outbox.untilTurn() <= 0) {
      try {
        boolean _ = outbox.turn();
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    }
    return outbox.untilTurn();
  }
}
