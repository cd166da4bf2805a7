package io.taskbroker.outbox;

import io.taskbroker.inflight.CommandSink;
import io.taskbroker.inflight.OutboxRecord;
import io.taskbroker.runtime.Progress;
import io.taskbroker.runtime.SystemContext;
import java.util.Map;
import java.util.function.Supplier;
import org.apache.kafka.clients.producer.Producer;

/// The real outbox without its thread, turned by a simulation.
public final class SteppedOutbox {
  private final Outbox outbox;

  public SteppedOutbox(
      CommandSink commands,
      SystemContext system,
      Supplier<Producer<byte[], byte[]>> producers) {
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

  /// The outbox takes itself for working until it waits, which it does not do here.
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
