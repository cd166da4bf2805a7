package io.taskbroker.outbox;

import static io.taskbroker.Interleavings.check;
import static io.taskbroker.Interleavings.join;
import static io.taskbroker.Interleavings.shared;
import static io.taskbroker.Interleavings.start;

import io.taskbroker.Interleavings;
import io.taskbroker.Interleavings.Actor;
import io.taskbroker.activation.Destination;
import io.taskbroker.inflight.Command;
import io.taskbroker.inflight.Departure;
import io.taskbroker.inflight.Intake;
import io.taskbroker.runtime.Surroundings;
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

/// What Kafka gives back while the outbox takes back what it gave back before is sent again (G4).
@Tag("concurrency")
@Timeout(300)
final class LaneLincheckTest {
  private static final long LONG = TimeUnit.SECONDS.toNanos(10);
  private static final Cluster CLUSTER =
      new Cluster(
          "c",
          List.of(),
          List.of(new PartitionInfo("topic", 0, Node.noNode(), new Node[0], new Node[0])),
          Set.of(),
          Set.of());

  @Test
  void g4WhatComesBackIsSentAgainOnce() {
    Surroundings system = Surroundings.system();
    Interleavings.of(() -> {
      var producer =
          new MockProducer<byte[], byte[]>(
              CLUSTER, false, null, new ByteArraySerializer(), new ByteArraySerializer());
      var outbox =
          new Outbox(
              new OutboxOptions(_ -> Map.of(), 1_000),
              new Engine(),
              (stage, cause) -> {
                throw new IllegalStateException(stage, cause);
              },
              system,
              _ -> producer);
      var lane = shared(new Lane(outbox, new Outbox.Place("topic", ""), 0));
      lane.add(departure("a"), 0);
      lane.add(departure("b"), 0);
      lane.work(0);
      Actor kafka =
          start(() -> {
            producer.errorNext(new NetworkException("one"));
            producer.errorNext(new NetworkException("two"));
          });
      lane.work(LONG);
      join(kafka);
      lane.work(2 * LONG);
      lane.work(3 * LONG);
      check(producer.history().size() == 4, producer.history().size());
    });
  }

  private static Departure departure(String id) {
    return new Departure(id, id, new byte[1], new Destination("topic", "", Map.of()), id);
  }

  private static final class Engine implements Intake {
    @Override
    public void request(Command.Request request) {
      throw new IllegalStateException("The outbox asks for nothing");
    }

    @Override
    public void tell(Command command) {
      throw new IllegalStateException("Nothing ends: " + command);
    }
  }
}
