package io.taskbroker.cli;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.testkit.CertificateAuthority;
import io.taskbroker.testkit.EmbeddedKafka;
import io.taskbroker.testkit.Ports;
import io.taskbroker.testkit.PostgresServer;
import io.taskbroker.testkit.TaskTemplate;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// Each fault of docs/health.md, made for real: the pages of the real process name the condition,
/// its stage and what to do, with the documented status, and the condition ends with the fault
/// (G9). A full disk is in `FullDiskTest`.
@Timeout(240)
@ExtendWith(SharedKafka.class)
final class HealthTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /// Alert of each condition (deploy/monitoring/alerts.yaml).
  private static final Map<String, String> ALERTS =
      Map.of(
          "store_unavailable", "TaskbrokerStoreUnavailable",
          "stage_stuck", "TaskbrokerStageStuck",
          "kafka_unreachable", "TaskbrokerKafkaUnreachable",
          "topic_unreadable", "TaskbrokerTopicUnreadable",
          "clock_stepped", "TaskbrokerClockStepped",
          "certificate_expired", "TaskbrokerCertificateExpired",
          "certificate_expires_soon", "TaskbrokerCertificateExpiresSoon");

  @TempDir private Path dir;

  @Test
  void aStuckCommitterIsNamed(KafkaView view) throws Exception {
    BrokerSetup setup = BrokerSetup.pull(dir, "health-stuck", view.bootstrap());
    view.createTopics(setup, 1);
    try (var pages = BrokerPages.of(setup);
        var broker = setup.start().awaitServing(PATIENCE)) {
      awaitHealthy(pages);
      try (var other = setup.openStore();
          var statement = other.createStatement()) {
        statement.execute("PRAGMA busy_timeout = 5000");
        statement.execute("BEGIN IMMEDIATE");
        publishTask(view, setup);
        awaitCondition(pages, "store_unavailable", 200);
        awaitCondition(pages, "stage_stuck", 503);
        await()
            .untilAsserted(() ->
                assertThat(pages.get("/readyz").body()).contains("stage_stuck (store-committer)"));
        awaitAlert(pages, "TaskbrokerNotReady");
        assertThat(pages.status("/livez")).isEqualTo(200);
        statement.execute("ROLLBACK");
      }
      awaitHealthy(pages);
      assertThat(broker.stop(Duration.ofSeconds(30))).isZero();
    }
  }

  @Test
  void aMissingKafkaIsNamed() throws Exception {
    int port = Ports.free();
    BrokerSetup setup = BrokerSetup.pull(dir, "health-kafka", "127.0.0.1:" + port);
    try (var pages = BrokerPages.of(setup);
        var _ = setup.start().awaitServing(PATIENCE)) {
      awaitCondition(pages, "kafka_unreachable", 200);
      try (var kafka = EmbeddedKafka.startOnPort(dir.resolve("kafka"), port);
          var view = new KafkaView(kafka.bootstrap())) {
        awaitCondition(pages, "topic_unreadable", 200);
        view.createTopics(setup, 1);
        awaitHealthy(pages);
      }
      awaitCondition(pages, "kafka_unreachable", 200);
    }
  }

  @Test
  void aMissingPostgresIsNamed(KafkaView view) throws Exception {
    try (var server = PostgresServer.start(Map.of("max_connections", "50"))) {
      PostgresServer.Database database = server.newDatabase();
      BrokerSetup setup = onPostgres("health-postgres", view, database);
      view.createTopics(setup, 1);
      try (var pages = BrokerPages.of(setup);
          var _ = setup.start().awaitServing(PATIENCE)) {
        awaitHealthy(pages);
        await()
            .atMost(PATIENCE)
            .until(() -> pages.metric("taskbroker_arroyo_consumer_current_partitions") == 1);
        server.stop();
        publishTask(view, setup);
        awaitCondition(pages, "stage_stuck", 503);
        awaitCondition(pages, "store_unavailable", 503);
        assertThat(pages.status("/livez")).isEqualTo(200);
        server.startAgain();
        awaitHealthy(pages);
      }
    }
  }

  /// Damage in a partition's log stops its consumer, the only one of this broker.
  @Test
  void aDeadConsumerIsNamed() throws Exception {
    Path data = dir.resolve("kafka");
    try (var kafka = EmbeddedKafka.start(data);
        var view = new KafkaView(kafka.bootstrap())) {
      BrokerSetup setup = BrokerSetup.pull(dir, "health-consumer", kafka.bootstrap());
      view.createTopics(setup, 1);
      publishTask(view, setup);
      damage(data.resolve(setup.topic() + "-0"), "id-of-task");
      try (var pages = BrokerPages.of(setup);
          var _ = setup.start()) {
        await()
            .atMost(PATIENCE)
            .ignoreExceptions()
            .until(() -> pages.conditions().contains("stage_stuck"));
        await()
            .untilAsserted(
                () -> assertThat(pages.get("/readyz").body()).contains("stage_stuck (ingest)"));
        assertThat(pages.status("/readyz")).isEqualTo(503);
        assertThat(pages.status("/livez")).isEqualTo(200);
        awaitAlert(pages, "TaskbrokerPartitionUnreadable");
      }
    }
  }

  @Test
  void aStepOfTheClockIsNamed(KafkaView view) throws Exception {
    BrokerSetup setup = BrokerSetup.pull(dir, "health-clock", view.bootstrap());
    view.createTopics(setup, 1);
    Path clock = dir.resolve("offset");
    try (var pages = BrokerPages.of(setup);
        var _ = setup.startWith(SteppedClock.option(dir, clock)).awaitServing(PATIENCE)) {
      awaitHealthy(pages);
      SteppedClock.set(clock, Duration.ofHours(2));
      awaitCondition(pages, "clock_stepped", 200);
      assertThat(pages.get("/health").body()).containsPattern("stepped by \\+7[12][0-9]{2} s");
      assertThat(pages.metric("taskbroker_clock_steps_total")).isOne();
    }
  }

  @Test
  void anExpiredCertificateIsNamed(KafkaView view) throws Exception {
    var authority = new CertificateAuthority("brokers");
    Instant now = Instant.now();
    CertificateAuthority.Issued old =
        authority.issue(dir, "broker", now.minusSeconds(60), now.minusSeconds(1), "127.0.0.1");
    BrokerSetup setup =
        BrokerSetup.pull(dir, "health-tls", view.bootstrap())
            .with(
                "grpc_tls",
                "{certificate: \"%s\", key: \"%s\"}".formatted(old.certificate(), old.key()));
    view.createTopics(setup, 1);
    try (var pages = BrokerPages.of(setup);
        var _ = setup.start().awaitPort(PATIENCE)) {
      awaitCondition(pages, "certificate_expired", 200);
      assertThat(pages.metric("taskbroker_tls_certificate_expiry_timestamp_seconds"))
          .isLessThan((double) now.getEpochSecond());

      authority.issue(dir, "broker", now, now.plus(Duration.ofDays(3)), "127.0.0.1");
      awaitCondition(pages, "certificate_expires_soon", 200);
      authority.issue(dir, "broker", now, now.plus(Duration.ofDays(30)), "127.0.0.1");
      awaitHealthy(pages);
    }
  }

  private static void awaitCondition(BrokerPages pages, String label, int readyz)
      throws IOException {
    var rules = new AlertRules();
    await()
        .alias(label)
        .atMost(PATIENCE)
        .ignoreExceptions()
        .untilAsserted(() -> {
          String page = pages.get("/health").body();
          assertThat(page).contains(label + " (");
          assertThat(pages.status("/readyz")).as(page).isEqualTo(readyz);
          assertThat(rules.fires(ALERTS.getOrDefault(label, ""), "", pages.get("/metrics").body()))
              .isTrue();
        });
    System.out.printf("The health page named %s%n", label);
  }

  private static void awaitAlert(BrokerPages pages, String alert) throws IOException {
    var rules = new AlertRules();
    await()
        .alias(alert)
        .atMost(PATIENCE)
        .until(() -> rules.fires(alert, "", pages.get("/metrics").body()));
  }

  private static void awaitHealthy(BrokerPages pages) {
    await()
        .alias("healthy")
        .atMost(PATIENCE)
        .ignoreExceptions()
        .untilAsserted(() -> {
          assertThat(pages.get("/health").body()).isEqualTo("ready\n");
          assertThat(pages.metric("taskbroker_health_conditions")).isZero();
        });
  }

  private static void publishTask(KafkaView view, BrokerSetup setup) throws Exception {
    var template = new TaskTemplate(BrokerSetup.APPLICATION, "n", "t", 100, 1);
    view.publish(setup.topic(), template.task(0).setId("id-of-task").build().toByteArray());
  }

  /// Flips a bit behind the given text in the only segment of a partition.
  private static void damage(Path partition, String text) throws IOException {
    Path segment = partition.resolve("00000000000000000000.log");
    try (var file = new RandomAccessFile(segment.toFile(), "rw")) {
      byte[] bytes = Files.readAllBytes(segment);
      int at = new String(bytes, ISO_8859_1).indexOf(text) + text.length();
      assertThat(at).isGreaterThan(text.length());
      file.seek(at);
      file.write(bytes[at] ^ 1);
    }
  }

  private BrokerSetup onPostgres(String name, KafkaView view, PostgresServer.Database database)
      throws IOException {
    return BrokerSetup.pull(dir.toRealPath(), name, view.bootstrap())
        .with(
            "store",
            """
            {adapter: postgres, sqlite: {path: "%s"}, pg: {host: "%s", port: %d, \
            database_name: %s, username: %s, password: %s, run_migrations: true}}\
            """
                .formatted(
                    dir.resolve(name + ".sqlite"),
                    database.host(),
                    database.port(),
                    database.name(),
                    database.username(),
                    database.password()));
  }
}
