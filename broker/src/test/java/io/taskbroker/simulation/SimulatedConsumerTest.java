package io.taskbroker.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/// The simulated consumer keeps what Kafka's own promises to the broker.
@ExtendWith(SilentLogs.class)
final class SimulatedConsumerTest {
  private static final TopicPartition PARTITION =
      new TopicPartition(SimulatedKafka.DEAD_LETTERS, 0);

  /// As in `IngestTest`, with a real Kafka.
  @Test
  void aLookUpOfOffsetsSeesTheCommitInFlight() {
    var offset = new OffsetAndMetadata(0);
    Map<TopicPartition, OffsetAndMetadata> seen = new HashMap<>();
    var simulation =
        new Simulation(
            1,
            false,
            Tampering.NONE,
            SeedPlan.calm(),
            story -> story.at(2, () -> seen.putAll(commitAndLookUp(story, offset))));
    simulation.run();
    assertThat(seen).containsExactly(Map.entry(PARTITION, offset));
  }

  private static Map<TopicPartition, OffsetAndMetadata> commitAndLookUp(
      Story story, OffsetAndMetadata offset) {
    SimulatedProcess process = Objects.requireNonNull(story.broker().run());
    SimulatedKafka.Topic topic = story.kafka().topic(PARTITION.topic());
    var consumer = new SimulatedConsumer(process, story.kafka(), topic, () -> {});
    var _ = consumer.poll(Duration.ZERO); // joins the group
    consumer.commitAsync(Map.of(PARTITION, offset), (_, _) -> {});
    return consumer.committed(Set.of(PARTITION), Duration.ZERO);
  }
}
