package io.taskbroker.outbox;

import static io.taskbroker.Interleavings.check;
import static io.taskbroker.Interleavings.join;
import static io.taskbroker.Interleavings.shared;
import static io.taskbroker.Interleavings.start;

import io.taskbroker.Interleavings;
import io.taskbroker.Interleavings.Actor;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.Producer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A producer that broke is replaced, whatever producers of before still say.
@Tag("concurrency")
@Timeout(300)
final class ClusterProducerLincheckTest {
  @SuppressWarnings("ReferenceEquality") // a producer is itself alone
  @Test
  void aProducerThatBrokeIsReplacedThoughAnOlderOneBreaksLater() {
    List<Producer<byte[], byte[]>> producers =
        List.of(new MockProducer<>(), new MockProducer<>(), new MockProducer<>());
    Interleavings.of(() -> {
      int[] made = new int[1];
      var link = shared(new ClusterProducer(Map.of(), 1_000, _ -> producers.get(made[0]++)));
      Producer<byte[], byte[]> first = link.producer();
      link.broke(first);
      Producer<byte[], byte[]> second = link.producer();
      Actor late = start(() -> link.broke(first));
      Actor broke = start(() -> link.broke(second));
      Producer<byte[], byte[]> meanwhile = link.producer();
      join(late, broke);
      check(meanwhile != first, "the first again");
      check(link.producer() == producers.get(2), made[0] + " were made");
    });
  }
}
