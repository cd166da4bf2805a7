package io.taskbroker;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.activation.Destination;
import io.taskbroker.config.BrokerConfig;
import io.taskbroker.config.ConfigLoader;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.inflight.api.OutboxRecord;
import io.taskbroker.ingest.Ingest;
import io.taskbroker.ingest.PartitionOwnership;
import io.taskbroker.outbox.Outbox;
import io.taskbroker.outbox.OutboxOptions;
import io.taskbroker.telemetry.Metrics;
import io.taskbroker.testkit.EmbeddedKafka;
import io.taskbroker.testkit.ExecutionLog;
import io.taskbroker.testkit.KafkaCertificates;
import io.taskbroker.testkit.SecuredListener;
import io.taskbroker.testkit.TaskProducer;
import io.taskbroker.testkit.TaskTemplate;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/// Kafka with passwords and TLS, by configuration: consuming and producing.
@Timeout(300)
final class SecuredKafkaTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final String PASSWORD = "pa\"ss\\word";

  @TempDir private static Path shared;
  private static KafkaCertificates certificates;
  private static KafkaCertificates others;

  @RegisterExtension private final LogCapture log = LogCapture.of("io.taskbroker");

  @TempDir private Path dir;

  @BeforeAll
  static void makeCertificates() {
    certificates = KafkaCertificates.make(shared.resolve("ours"));
    others = KafkaCertificates.make(shared.resolve("others"));
  }

  @AfterEach
  void secretsWereNotLogged() {
    assertThat(log.lines()).noneMatch(line -> line.contains(PASSWORD) || line.contains("word"));
  }

  @Test
  void saslWithTls() throws Exception {
    var secured = SecuredListener.saslTls(certificates, Map.of("alice", "secret-word"));
    try (var kafka = EmbeddedKafka.start(dir.resolve("kafka"), secured)) {
      for (String mechanism : List.of("plain", "scram-sha-256", "SCRAM-SHA-512")) {
        goesInAndOut(
            kafka, "sasl_ssl", sasl(mechanism, "secret-word") + trust(certificates), mechanism);
      }
    }
  }

  @Test
  void saslWithoutTls() throws Exception {
    var secured = SecuredListener.sasl(Map.of());
    try (var kafka = EmbeddedKafka.start(dir.resolve("kafka"), secured)) {
      kafka.addScramUser("alice", PASSWORD);
      goesInAndOut(kafka, "SASL_PLAINTEXT", sasl("scram-sha-256", PASSWORD), "quoted");
    }
  }

  @Test
  void tls() throws Exception {
    try (var kafka = EmbeddedKafka.start(dir.resolve("kafka"), SecuredListener.tls(certificates))) {
      goesInAndOut(kafka, "ssl", trust(certificates), "tls");
    }
  }

  @Test
  void mutualTls() throws Exception {
    try (var kafka =
        EmbeddedKafka.start(dir.resolve("kafka"), SecuredListener.mutualTls(certificates))) {
      goesInAndOut(kafka, "ssl", trust(certificates) + own(certificates), "mutual");

      try (var stages = new Stages(kafka, "ssl", trust(certificates) + own(others), "refused")) {
        stages.produce();
        log.awaitLine(
            PATIENCE,
            "ERROR Kafka at " + kafka.securedBootstrap() + " and this broker cannot agree on TLS");
        log.awaitLine(
            PATIENCE, "WARN Cannot produce to topic refused-out at " + kafka.securedBootstrap());
      }
    }
  }

  @Test
  void wrongPasswordIsLoggedOnceAndRetried() throws Exception {
    var secured = SecuredListener.sasl(Map.of("alice", "right-word"));
    try (var kafka = EmbeddedKafka.start(dir.resolve("kafka"), secured);
        var stages = new Stages(kafka, "sasl_plaintext", sasl("scram-sha-512", PASSWORD), "t")) {
      stages.produce();
      log.awaitLine(
          PATIENCE,
          "ERROR Kafka at "
              + kafka.securedBootstrap()
              + " refuses the credentials that are configured for topic t-in: Authentication"
              + " failed");
      log.awaitLine(
          PATIENCE,
          "WARN Cannot produce to topic t-out at "
              + kafka.securedBootstrap()
              + ": SaslAuthenticationException");
      await().during(Duration.ofSeconds(3)).until(() -> log.lines().size() == 2);

      kafka.addScramUser("alice", PASSWORD);

      stages.awaitBoth();
      log.awaitLine(
          PATIENCE, "INFO Topic t-in at " + kafka.securedBootstrap() + " can be read again");
      log.awaitLine(PATIENCE, "INFO Topic t-out takes messages again");
    }
  }

  @Test
  void untrustedServerIsLogged() throws Exception {
    try (var kafka = EmbeddedKafka.start(dir.resolve("kafka"), SecuredListener.tls(certificates));
        var stages = new Stages(kafka, "ssl", trust(others), "t")) {
      stages.produce();
      log.awaitLine(
          PATIENCE,
          "ERROR Kafka at " + kafka.securedBootstrap() + " and this broker cannot agree on TLS");
      log.awaitLine(PATIENCE, "WARN Cannot produce to topic t-out at " + kafka.securedBootstrap());
      await().during(Duration.ofSeconds(3)).until(() -> log.lines().size() == 2);
      assertThat(stages.failures).isEmpty();
    }
  }

  private void goesInAndOut(EmbeddedKafka kafka, String protocol, String security, String name)
      throws Exception {
    try (var stages = new Stages(kafka, protocol, security, name)) {
      stages.produce();
      stages.awaitBoth();
    }
    assertThat(log.lines()).noneMatch(line -> line.startsWith("ERROR") || line.startsWith("WARN"));
  }

  private static String sasl(String mechanism, String password) {
    return "sasl_mechanism: %s, sasl_username: alice, sasl_password: '%s', "
        .formatted(mechanism, password);
  }

  private static String trust(KafkaCertificates by) {
    return "ssl_ca_location: '%s', ".formatted(by.ca());
  }

  private static String own(KafkaCertificates by) {
    return "ssl_certificate_location: '%s', ssl_key_location: '%s', "
        .formatted(by.client(), by.clientKey());
  }

  /// Kafka stages of a broker with that cluster.
  private final class Stages implements AutoCloseable, CommandSink {
    private final String name;
    private final Ingest ingest;
    private final Outbox outbox;
    private final List<Command> commands = new CopyOnWriteArrayList<>();
    private final List<Throwable> failures = new CopyOnWriteArrayList<>();

    Stages(EmbeddedKafka kafka, String protocol, String security, String name) throws Exception {
      this.name = name;
      kafka.createTopic(name + "-in", 1);
      kafka.createTopic(name + "-out", 1);
      try (var producer = new TaskProducer(kafka.bootstrap(), name + "-in", new ExecutionLog(1))) {
        producer.send(0, new TaskTemplate("app", "n", "t", 50, 1).task(0).build());
      }
      BrokerConfig config = config(kafka, protocol, security);
      ingest =
          new Ingest(
              StageOptions.sources(config),
              PartitionOwnership.sole(List.of(), Map::of),
              this,
              StageOptions.ingest(config, "broker-" + name),
              (_, failure) -> failures.add(failure),
              new Metrics());
      outbox =
          new Outbox(
              new OutboxOptions(StageOptions.clusters(config), StageOptions.largestMessage(config)),
              this,
              (_, failure) -> failures.add(failure));
      outbox.start();
      ingest.start();
    }

    private BrokerConfig config(EmbeddedKafka kafka, String protocol, String security)
        throws Exception {
      Path file =
          Files.writeString(
              dir.resolve(name + ".yaml"),
              """
              worker_map: {app: "http://127.0.0.1:1"}
              kafka_auto_offset_reset: earliest
              kafka_deadletter_topic: %2$s-out
              kafka_clusters:
                main: {address: "%1$s", %4$s security_protocol: %3$s}
              kafka_topics:
                %2$s-in: {cluster: main, consumer_group: g}
                %2$s-out: {cluster: main, consumer_group: g, produce_only: true}
              """
                  .formatted(kafka.securedBootstrap(), name, protocol, security));
      return ConfigLoader.load(Optional.of(file), Map.of());
    }

    void produce() {
      outbox.produce(
          new OutboxRecord(
              "id", "id", "bytes".getBytes(UTF_8), Destination.of(name + "-out"), this));
    }

    void awaitBoth() {
      await()
          .atMost(PATIENCE)
          .untilAsserted(() ->
              assertThat(commands)
                  .as("received, with %s logged", log.lines())
                  .hasAtLeastOneElementOfType(Command.Produced.class)
                  .hasAtLeastOneElementOfType(Command.Ingest.class));
      assertThat(failures).isEmpty();
    }

    @Override
    public void request(Command.Request request) {
      throw new IllegalStateException("Kafka stages send no requests");
    }

    @Override
    public void submit(Command command) {
      commands.add(command);
      if (command instanceof Command.PartitionRevoked revoked) {
        ingest.drained(revoked.partition());
      }
    }

    @Override
    public void close() {
      ingest.stop();
      outbox.stop();
    }
  }
}
