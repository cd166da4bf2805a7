package io.taskbroker.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.LogCapture;
import io.taskbroker.testkit.EmbeddedKafka;
import io.taskbroker.testkit.Ports;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.TopicDescription;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

@Timeout(240)
final class DeclaredTopicsTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @RegisterExtension private final LogCapture log = LogCapture.of(DeclaredTopics.class);
  private final List<Throwable> failures = new CopyOnWriteArrayList<>();
  private final List<DeclaredTopics> started = new ArrayList<>();

  @TempDir private Path dir;

  @AfterEach
  void stop() {
    started.forEach(DeclaredTopics::stop);
    assertThat(failures).isEmpty();
  }

  @Test
  void g8CreatesMissingTopicsOnReachableClustersAndLaterOnTheOther() throws Exception {
    int port = Ports.free();
    try (var here = EmbeddedKafka.start(dir.resolve("here"))) {
      here.createTopic("old", 2);

      long begin = System.nanoTime();
      start(
          created("old", here.bootstrap(), 4),
          created("new", here.bootstrap(), 4),
          created("elsewhere", "127.0.0.1:" + port, 3));

      assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(30));
      await()
          .atMost(PATIENCE)
          .untilAsserted(() -> assertThat(partitions(here, "new")).isEqualTo(4));
      assertThat(partitions(here, "old")).isEqualTo(2);
      log.awaitLine(PATIENCE, "INFO Created topic new with 4 partitions at " + here.bootstrap());
      log.awaitLine(
          PATIENCE, "ERROR Cannot ask Kafka at 127.0.0.1:" + port + " for topics [elsewhere]");

      try (var there = EmbeddedKafka.startOnPort(dir.resolve("there"), port)) {
        log.awaitLine(
            PATIENCE, "INFO Created topic elsewhere with 3 partitions at " + there.bootstrap());
        assertThat(partitions(there, "elsewhere")).isEqualTo(3);
        assertThat(log.lines()).hasSize(3);
      }
    }
  }

  @Test
  void topicsExistWhenTheStageHasStarted() throws Exception {
    try (var kafka = EmbeddedKafka.start(dir)) {
      start(created("a", kafka.bootstrap(), 1), created("b", kafka.bootstrap(), 2));

      assertThat(partitions(kafka, "a")).isEqualTo(1);
      assertThat(partitions(kafka, "b")).isEqualTo(2);

      start(created("a", kafka.bootstrap(), 7), created("b", kafka.bootstrap(), 7));
      assertThat(partitions(kafka, "a")).isEqualTo(1);
      assertThat(log.lines()).hasSize(2);
    }
  }

  @Test
  void aTopicWhoseConsumerIsDisabledIsAskedForAndNotCreated() throws Exception {
    try (var kafka = EmbeddedKafka.start(dir)) {
      start(new DeclaredTopic("off", client(kafka.bootstrap()), 0, true));
      String missing = "ERROR Topics [off] do not exist at " + kafka.bootstrap();
      log.awaitLine(PATIENCE, missing);
      await().during(Duration.ofSeconds(3)).until(() -> log.lines().size() == 1);

      kafka.createTopic("off", 1);

      log.awaitLine(PATIENCE, "WARN Topic off at " + kafka.bootstrap() + " exists and is not read");
      assertThat(log.lines()).hasSize(2);
    }
  }

  @Test
  void stopsAtOnceWhileAClusterIsDown() {
    DeclaredTopics topics = start(created("t", "127.0.0.1:" + Ports.free(), 1));

    long begin = System.nanoTime();
    topics.stop();

    assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(20));
  }

  @Test
  void anUnresolvableAddressIsAnOutage() {
    start(created("t", "kafka.invalid:9092", 1));

    log.awaitLine(PATIENCE, "ERROR Cannot ask Kafka at kafka.invalid:9092 for topics [t]");
  }

  private static DeclaredTopic created(String name, String bootstrap, int partitions) {
    return new DeclaredTopic(name, client(bootstrap), partitions, false);
  }

  private static Map<String, String> client(String bootstrap) {
    return Map.of("bootstrap.servers", bootstrap);
  }

  private DeclaredTopics start(DeclaredTopic... topics) {
    var stage = new DeclaredTopics(List.of(topics), (_, failure) -> failures.add(failure));
    started.add(stage);
    stage.start();
    return stage;
  }

  private static int partitions(EmbeddedKafka kafka, String topic) throws Exception {
    try (var admin = Admin.create(Map.<String, Object>of("bootstrap.servers", kafka.bootstrap()))) {
      TopicDescription description =
          List.copyOf(admin.describeTopics(List.of(topic)).allTopicNames().get().values())
              .getFirst();
      return description.partitions().size();
    }
  }
}
