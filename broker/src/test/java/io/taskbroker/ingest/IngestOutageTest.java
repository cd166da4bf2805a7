package io.taskbroker.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.inflight.api.Command;
import io.taskbroker.telemetry.Metrics;
import io.taskbroker.testkit.EmbeddedKafka;
import io.taskbroker.testkit.Ports;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Kafka outages: at the start of the broker, and while it runs.
@Timeout(240)
final class IngestOutageTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @TempDir private Path dir;

  @Test
  void picksUpWhenKafkaComesAndWhenItComesBack() throws Exception {
    int port;
    try (var before = EmbeddedKafka.start(dir)) {
      port = before.port();
      before.createTopic("tasks", 1);
    }
    var engine = new ScriptedEngine();
    var failures = new CopyOnWriteArrayList<Throwable>();
    Ingest ingest = ingest("127.0.0.1:" + port, engine, failures);
    ingest.start();
    try {
      long rounds = ingest.done();
      await().until(() -> ingest.done() > rounds + 1);

      try (var kafka = EmbeddedKafka.startOnPort(dir, port);
          var cluster = new Cluster(kafka.bootstrap())) {
        cluster.produceMany("tasks", 0, 5);
        await().atMost(PATIENCE).until(() -> engine.offsets(0).size() == 5);
        await().atMost(PATIENCE).until(() -> engine.committed(0) == 5);
        engine.holding();
        cluster.produceMany("tasks", 0, 2);
        await().atMost(PATIENCE).until(() -> engine.offsets(0).size() == 7);
      }
      // These records become durable while Kafka is down; their offset is committed after it
      // returns.
      engine.settleAll();
      long down = ingest.done();
      await().until(() -> ingest.done() > down + 1);

      try (var kafka = EmbeddedKafka.startOnPort(dir, port);
          var cluster = new Cluster(kafka.bootstrap())) {
        await().atMost(PATIENCE).until(() -> cluster.committed("group", "tasks", 0) == 7);
        cluster.produceMany("tasks", 0, 5);
        await().atMost(PATIENCE).until(() -> engine.offsets(0).size() == 12);
        ingest.stop();
        assertThat(cluster.committed("group", "tasks", 0)).isEqualTo(12);
      }
      assertThat(engine.offsets(0)).isEqualTo(LongStream.range(0, 12).boxed().toList());
      assertThat(failures).isEmpty();
    } finally {
      ingest.stop();
    }
  }

  @Test
  void stopsInTimeWhileKafkaIsDown() throws Exception {
    Ingest ingest =
        ingest("127.0.0.1:" + Ports.free(), new ScriptedEngine(), new CopyOnWriteArrayList<>());
    ingest.start();
    await().until(() -> ingest.done() > 0);

    long begin = System.nanoTime();
    ingest.stop();

    assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(25));
  }

  @Test
  void stopsInTimeAfterKafkaStopped() {
    var engine = new ScriptedEngine();
    Ingest ingest;
    try (var kafka = EmbeddedKafka.start(dir)) {
      kafka.createTopic("tasks", 1);
      ingest = ingest(kafka.bootstrap(), engine, new CopyOnWriteArrayList<>());
      ingest.start();
      await().atMost(PATIENCE).until(() -> engine.isAssigned(0));
    }

    long begin = System.nanoTime();
    ingest.stop();

    assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(25));
    assertThat(engine.commands())
        .endsWith(new Command.PartitionRevoked(engine.partition(0), false));
  }

  @Test
  void h25AnUnresolvableAddressIsNoStall() {
    var failures = new CopyOnWriteArrayList<Throwable>();
    Ingest ingest = ingest("kafka.invalid:9092", new ScriptedEngine(), failures);
    ingest.start();
    await().during(Duration.ofMillis(300)).until(() -> !ingest.hasWork());
    ingest.stop();
    assertThat(failures).isEmpty();
  }

  private static Ingest ingest(String bootstrap, ScriptedEngine engine, List<Throwable> failures) {
    var source =
        new TopicSource(
            "tasks",
            "group",
            Map.of("bootstrap.servers", bootstrap),
            Duration.ofSeconds(6),
            Duration.ofMillis(100),
            "earliest");
    var options = new IngestOptions("broker-1", 3600, 100_000, 1000, 1_000_000, 100);
    var ingest =
        new Ingest(
            List.of(source),
            PartitionOwnership.sole(List.of(), Map::of),
            engine,
            options,
            (_, failure) -> failures.add(failure),
            new Metrics());
    engine.attach(ingest);
    return ingest;
  }
}
