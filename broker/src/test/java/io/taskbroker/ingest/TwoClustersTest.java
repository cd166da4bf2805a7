package io.taskbroker.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.activation.Ids;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Watermark;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.telemetry.Metrics;
import io.taskbroker.testkit.EmbeddedKafka;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(240)
final class TwoClustersTest {
  private static final IngestOptions OPTIONS =
      new IngestOptions("broker-1", 3600, 100_000, 1000, 1_000_000, 100);
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @TempDir private Path dir;

  @Test
  void h01EachClusterHasItsOwnWatermarksAndOffsets() throws Exception {
    try (var near = EmbeddedKafka.start(dir.resolve("near"));
        var far = EmbeddedKafka.start(dir.resolve("far"));
        var nearCluster = new Cluster(near.bootstrap());
        var farCluster = new Cluster(far.bootstrap())) {
      near.createTopic("tasks", 1);
      far.createTopic("events", 1);
      nearCluster.produceMany("tasks", 0, 10);
      farCluster.produceMany("events", 0, 20);
      SourcePartition tasks = nearCluster.partition("g", "tasks", 0);
      SourcePartition events = farCluster.partition("g", "events", 0);
      // As if the topic had been on the other cluster before.
      var elsewhere = new SourcePartition(tasks.cluster(), "g", events.topicId(), "events", 0);
      var engine = new ScriptedEngine();
      var failures = new CopyOnWriteArrayList<Throwable>();
      var ingest =
          new Ingest(
              List.of(
                  source("tasks", near, Optional.empty()),
                  source("events", far, Optional.of(raw()))),
              PartitionOwnership.sole(
                  List.of(
                      new Watermark(tasks, 4, Watermark.NONE), new Watermark(elsewhere, 15, 15)),
                  Map::of),
              engine,
              OPTIONS,
              (_, failure) -> failures.add(failure),
              new Metrics());
      engine.attach(ingest);
      ingest.start();
      try {
        await().atMost(PATIENCE).until(() -> arrivals(engine, tasks).size() == 6);
        await().atMost(PATIENCE).until(() -> arrivals(engine, events).size() == 20);
        await().atMost(PATIENCE).until(() -> nearCluster.committed("g", "tasks", 0) == 10);
        await().atMost(PATIENCE).until(() -> farCluster.committed("g", "events", 0) == 20);
      } finally {
        ingest.stop();
      }
      assertThat(tasks.cluster()).isNotEqualTo(events.cluster());
      assertThat(nearCluster.committed("g", "events", 0)).isEqualTo(Watermark.NONE);
      assertThat(arrivals(engine, events))
          .extracting(arrival -> arrival.activation().id())
          .doesNotHaveDuplicates()
          .allMatch(Ids::isDerived);
      assertThat(failures).isEmpty();
    }
  }

  @Test
  void theConsumerHasTheSettingsOfItsTopic() {
    var source =
        new TopicSource(
            "tasks",
            "g",
            Map.of("bootstrap.servers", "k:1", "security.protocol", "SSL"),
            Duration.ofMillis(9000),
            Duration.ofMillis(90),
            "latest");

    assertThat(ClientSettings.consumer(source, OPTIONS, false))
        .containsEntry(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG, 9000)
        .containsEntry(ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG, 3000)
        .containsEntry(ConsumerConfig.GROUP_ID_CONFIG, "g")
        .containsEntry("bootstrap.servers", "k:1")
        .containsEntry("security.protocol", "SSL");
    assertThat(ClientSettings.admin(source)).containsEntry("security.protocol", "SSL");
    assertThat(source.resetPolicy()).isEqualTo(ResetPolicy.LATEST);
  }

  private static List<Command.IngestedRecord> arrivals(
      ScriptedEngine engine, SourcePartition partition) {
    return engine.commands(Command.Ingest.class).stream()
        .filter(each -> each.partition().equals(partition))
        .flatMap(each -> each.arrivals().stream())
        .toList();
  }

  private static RawTask raw() {
    return new RawTask("app", "ns", "t", Duration.ofSeconds(5), 3);
  }

  private static TopicSource source(String topic, EmbeddedKafka kafka, Optional<RawTask> raw) {
    return new TopicSource(
        topic,
        "g",
        Map.of("bootstrap.servers", kafka.bootstrap()),
        Duration.ofSeconds(6),
        Duration.ofMillis(100),
        "earliest",
        raw);
  }
}
