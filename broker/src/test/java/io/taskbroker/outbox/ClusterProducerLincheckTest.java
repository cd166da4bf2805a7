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

/// A broken producer is replaced, whatever earlier producers still report.
@Tag("concurrency")
@Timeout(300)
final class ClusterProducerLincheckTest {
  @SuppressWarnings("ReferenceEquality") // producers are compared by identity
  @Test
  void aBrokenProducerIsReplacedThoughAnOlderOneFailsLater() {
    List<Producer<byte[], byte[]>> producers =
        List.of(new MockProducer<>(), new MockProducer<>(), new MockProducer<>());
    Interleavings.of(() -> {
      int[] created = new int[1];
      var clusterProducer =
          shared(new ClusterProducer(Map.of(), 1_000, _ -> producers.get(created[0]++)));
      Producer<byte[], byte[]> first = clusterProducer.producer();
      clusterProducer.markBroken(first);
      Producer<byte[], byte[]> second = clusterProducer.producer();
      Actor late = start(() -> clusterProducer.markBroken(first));
      Actor broke = start(() -> clusterProducer.markBroken(second));
      Producer<byte[], byte[]> meanwhile = clusterProducer.producer();
      join(late, broke);
      check(meanwhile != first, "the first producer was returned again");
      check(clusterProducer.producer() == producers.get(2), created[0] + " producers were created");
    });
  }
}
