package io.taskbroker.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.LogCapture;
import io.taskbroker.telemetry.Metrics;
import io.taskbroker.testkit.EmbeddedKafka;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/// Groups that Kafka does not let a broker join: its client reports the refusal in each poll, for
/// ever.
@Timeout(240)
final class RefusedReadingTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Duration USUAL = Duration.ofSeconds(6);

  @TempDir private static Path dir;
  private static EmbeddedKafka kafka;

  @RegisterExtension private final LogCapture log = LogCapture.of(TopicProblemLog.class);

  private final List<Throwable> failures = new CopyOnWriteArrayList<>();
  private final List<Ingest> ingests = new ArrayList<>();
  private final ScriptedEngine engine = new ScriptedEngine();
  private String topic = "";

  @BeforeAll
  static void startKafka() {
    kafka = EmbeddedKafka.start(dir);
  }

  @AfterAll
  static void stopKafka() {
    kafka.close();
  }

  @BeforeEach
  void name(TestInfo test) {
    topic = test.getTestMethod().orElseThrow().getName();
    kafka.createTopic(topic, 1);
  }

  @AfterEach
  void stopAll() {
    ingests.forEach(Ingest::stop);
    assertThat(failures).isEmpty();
  }

  @Test
  void g9ASessionTimeoutThatKafkaDoesNotTakeIsSaidOnceAndIsAnObstacle() {
    Ingest ingest = start(source(topic, Duration.ofSeconds(1)));

    String start =
        "Kafka at %s does not take the session_timeout_ms = 1000 of topic %s"
            .formatted(kafka.bootstrap(), topic);
    log.awaitLine(PATIENCE, "ERROR " + start);
    assertThat(log.lines().getFirst())
        .contains("group.min.session.timeout.ms", "group " + topic + "-group");
    await().atMost(PATIENCE).until(() -> ingest.obstacle().startsWith(start));
    long rounds = ingest.done();
    long begin = System.nanoTime();
    await().during(Duration.ofSeconds(5)).until(() -> log.lines().size() == 1);
    long turns = ingest.done() - rounds;
    Duration time = Duration.ofNanos(System.nanoTime() - begin);
    assertThat(turns).as("turns in %s", time).isLessThanOrEqualTo(time.toSeconds() + 1);
  }

  @Test
  void g9AGroupOfAnotherAssignorIsLoggedAndJoinedAfterItsMembersLeft() throws Exception {
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var other = new OtherMember(topic);
      var running = threads.submit(other);
      await().atMost(PATIENCE).until(() -> other.assigned);

      Ingest ingest = start(source(topic, USUAL));
      log.awaitLine(
          PATIENCE,
          "ERROR Kafka at %s does not let this broker join group %s-group"
              .formatted(kafka.bootstrap(), topic));
      await().atMost(PATIENCE).until(() -> !ingest.obstacle().isEmpty());

      other.leave = true;
      running.get();
      await().atMost(PATIENCE).until(() -> engine.isAssigned(0));
      await().atMost(PATIENCE).until(() -> ingest.obstacle().isEmpty());
      log.awaitLine(
          PATIENCE, "INFO Topic %s at %s can be read".formatted(topic, kafka.bootstrap()));
      assertThat(log.lines()).hasSize(2);
    }
  }

  @Test
  void g8ATopicThatCanBeReadIsNoObstacleToGivingOutItsTasks() {
    String refused = topic + "-refused";
    kafka.createTopic(refused, 1);
    Ingest ingest = start(source(topic, USUAL), source(refused, Duration.ofSeconds(1)));

    log.awaitLine(PATIENCE, "ERROR Kafka at " + kafka.bootstrap() + " does not take the session");
    await().atMost(PATIENCE).until(() -> engine.isAssigned(0));
    assertThat(ingest.obstacle()).isEmpty();
  }

  private Ingest start(TopicSource... sources) {
    var options = new IngestOptions("broker-1", 3600, 100_000, 1000, 1_000_000, 100);
    var ingest =
        new Ingest(
            List.of(sources),
            PartitionOwnership.sole(List.of(), Map::of),
            engine,
            options,
            (_, failure) -> failures.add(failure),
            new Metrics());
    ingests.add(ingest);
    engine.attach(ingest);
    ingest.start();
    return ingest;
  }

  private TopicSource source(String name, Duration sessionTimeout) {
    return new TopicSource(
        name,
        name + "-group",
        Map.of("bootstrap.servers", kafka.bootstrap()),
        sessionTimeout,
        Duration.ofMillis(100),
        "earliest");
  }

  /// Group member whose partitions are assigned by round robin.
  private static final class OtherMember implements Runnable {
    private final String topic;
    private volatile boolean assigned;
    private volatile boolean leave;

    OtherMember(String topic) {
      this.topic = topic;
    }

    @Override
    public void run() {
      Map<String, Object> settings =
          Map.of(
              "bootstrap.servers",
              kafka.bootstrap(),
              "group.id",
              topic + "-group",
              "partition.assignment.strategy",
              "org.apache.kafka.clients.consumer.RoundRobinAssignor");
      try (var consumer =
          new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
        consumer.subscribe(List.of(topic));
        while (!leave) {
          consumer.poll(Duration.ofMillis(200));
          assigned = !consumer.assignment().isEmpty();
        }
      }
    }
  }
}
