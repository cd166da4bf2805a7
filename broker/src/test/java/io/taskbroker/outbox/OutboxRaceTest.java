package io.taskbroker.outbox;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.Race;
import io.taskbroker.activation.Destination;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.inflight.api.OutboxRecord;
import io.taskbroker.runtime.SystemContext;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.IntStream;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.common.Cluster;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.errors.NetworkException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Race of the engine, the outbox's thread, Kafka's threads and a stop: each record handed over
/// before the stop ends once (G4).
@Tag("concurrency")
@Timeout(240)
@SuppressWarnings("ThreadPriorityCheck") // the scheduler may interleave as it likes
final class OutboxRaceTest {
  private static final int RECORDS = 8;

  @Test
  void g4EachRecordEndsOnceWhileKafkaAnswersAndTheOutboxStops() {
    Race.of(
        100,
        Sending::new,
        List.of(Sending::answer, Sending::produceAndStop, Sending::checkProgress),
        sending -> {
          assertThat(sending.failures).isEmpty();
          assertThat(sending.received)
              .containsExactlyInAnyOrderElementsOf(
                  IntStream.range(0, RECORDS).mapToObj(i -> "id-" + i).toList());
          assertThat(sending.outbox.hasWork()).isFalse();
        });
  }

  private static final class Sending implements CommandSink {
    private final Queue<String> received = new ConcurrentLinkedQueue<>();
    private final Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
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
            new OutboxOptions(_ -> Map.of(), 1_000, Duration.ofSeconds(30)),
            this,
            (_, cause) -> failures.add(cause),
            SystemContext.system(),
            _ -> producer);
    private volatile boolean stopped;

    Sending() {
      outbox.start();
    }

    /// Kafka's part: fails some records and acknowledges the others.
    private void answer() {
      for (int i = 0; !stopped; ) {
        boolean answered =
            i % 5 == 2
                ? producer.errorNext(new NetworkException("now and then"))
                : producer.completeNext();
        i += answered ? 1 : 0;
        Thread.yield();
      }
    }

    private void produceAndStop() {
      for (int i = 0; i < RECORDS; i++) {
        outbox.produce(
            new OutboxRecord(
                "id-" + i, "key", new byte[1], new Destination("topic", "", Map.of()), this));
      }
      try {
        outbox.stop();
      } finally {
        stopped = true;
      }
    }

    /// The watchdog's part.
    private void checkProgress() {
      long before = 0;
      while (!stopped) {
        long done = outbox.done();
        if (done < before) {
          throw new AssertionError(done + " done, after " + before);
        }
        before = done;
        Thread.yield();
      }
    }

    @Override
    public void request(Command.Request request) {
      throw new AssertionError("The outbox sends no requests");
    }

    @Override
    public void submit(Command command) {
      received.add(((Command.Produced) command).record().id());
    }
  }
}
