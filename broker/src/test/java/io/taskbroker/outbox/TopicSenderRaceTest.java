package io.taskbroker.outbox;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.Race;
import io.taskbroker.activation.Destination;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.inflight.api.OutboxRecord;
import io.taskbroker.runtime.SystemContext;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.common.Cluster;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.errors.NetworkException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A record that Kafka returns while the outbox requeues earlier ones is sent again once (G4).
@Tag("concurrency")
@Timeout(240)
final class TopicSenderRaceTest {
  private static final int RECORDS = 50;
  private static final long LONG = TimeUnit.SECONDS.toNanos(10);

  @Test
  void g4AReturnedRecordIsSentAgainOnce() {
    Race.of(
        500,
        Sending::new,
        List.of(Sending::returnRecords, Sending::work),
        sending -> {
          sending.work();
          assertThat(sending.producer.history()).hasSize(RECORDS);
        });
  }

  private static final class Sending implements CommandSink {
    private final MockProducer<byte[], byte[]> producer =
        new MockProducer<>(
            new Cluster(
                "c",
                List.of(),
                List.of(new PartitionInfo("topic", 0, Node.noNode(), new Node[0], new Node[0])),
                Set.of(),
                Set.of()),
            false,
            null,
            new ByteArraySerializer(),
            new ByteArraySerializer());
    private final Outbox outbox =
        new Outbox(
            new OutboxOptions(_ -> Map.of(), 1_000),
            this,
            (stage, cause) -> {
              throw new AssertionError(stage, cause);
            },
            SystemContext.system(),
            _ -> producer);
    private final TopicSender sender =
        new TopicSender(outbox, new Outbox.TopicOnCluster("topic", ""), 0);
    private long now;

    /// Kafka's part.
    private void returnRecords() {
      var failure = new NetworkException("gone");
      for (int i = 0; i < RECORDS; i++) {
        var to = new Destination("topic", "", Map.of());
        var outboxRecord = new OutboxRecord("id-" + i, "key", new byte[1], to, this);
        sender.failed(new PendingRecord(outboxRecord, sender, 0), failure, producer, false);
      }
    }

    /// The outbox's part, with long pauses between its turns.
    private void work() {
      for (int i = 0; i < RECORDS; i++) {
        now += LONG;
        sender.work(now);
      }
    }

    @Override
    public void request(Command.Request request) {
      throw new AssertionError("The outbox sends no requests");
    }

    @Override
    public void submit(Command command) {
      throw new AssertionError("Nothing ends: " + command);
    }
  }
}
