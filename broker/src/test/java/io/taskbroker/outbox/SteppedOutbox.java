package io.taskbroker.outbox;

import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.inflight.api.OutboxRecord;
import io.taskbroker.runtime.Progress;
import io.taskbroker.runtime.SystemContext;
import java.util.Map;
import java.util.function.Supplier;
import org.apache.kafka.clients.producer.Producer;

/// Real outbox without its thread, stepped by a simulation.
public final class SteppedOutbox {
  private final Outbox outbox;

  public SteppedOutbox(
      CommandSink commands, SystemContext system, Supplier<Producer<byte[], byte[]>> producers) {
    this.outbox =
        new Outbox(
            new OutboxOptions(_ -> Map.of(), 1 << 20),
            commands,
            (stage, cause) -> {
              throw new IllegalStateException(stage, cause);
            },
            system,
            _ -> producers.get());
  }

  public void produce(OutboxRecord outboxRecord) {
    outbox.produce(outboxRecord);
  }

  /// Progress without the outbox's own flag, which stays set until its thread waits.
  public Progress progress() {
    return new Progress() {
      @Override
      public String name() {
        return outbox.name();
      }

      @Override
      public boolean hasWork() {
        return outbox.untilTurn() <= 0;
      }

      @Override
      public long done() {
        return outbox.done();
      }
    };
  }

  /// Runs a turn if one is due.
  ///
  /// @return nanoseconds until the next turn
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
