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
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.errors.NetworkException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A record that Kafka returns while the outbox requeues earlier ones is requeued once (G4).
@Tag("concurrency")
@Timeout(300)
final class TopicSenderLincheckTest {
  private static final long LONG = TimeUnit.SECONDS.toNanos(10);

  /// A requeued record is refused, since there is no cluster any more: so the test sees it.
  @Test
  void g4AReturnedRecordIsRequeuedOnce() {
    SystemContext system = SystemContext.system();
    var failure = new NetworkException("gone");
    Producer<byte[], byte[]> producer = new MockProducer<>();
    Interleavings.of(() -> {
      var engine = new Engine();
      var outbox =
          new Outbox(
              new OutboxOptions(_ -> null, 1_000), engine, (_, _) -> {}, system, _ -> producer);
      var sender = shared(new TopicSender(outbox, new Outbox.TopicOnCluster("topic", ""), 0));
      Actor kafka =
          start(() -> {
            sender.failed(pending("a", sender), failure, producer, false);
            sender.failed(pending("b", sender), failure, producer, false);
          });
      sender.work(LONG);
      sender.work(2 * LONG);
      join(kafka);
      sender.work(3 * LONG);
      sender.work(4 * LONG);
      check(engine.ended.equals(List.of("a", "b")), engine.ended);
    });
  }

  private static PendingRecord pending(String id, TopicSender sender) {
    var to = new Destination("topic", "", Map.of());
    return new PendingRecord(new OutboxRecord(id, id, new byte[1], to, id), sender, 0);
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
