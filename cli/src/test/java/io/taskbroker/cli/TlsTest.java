package io.taskbroker.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.grpc.ChannelCredentials;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthGrpc;
import io.taskbroker.testkit.Behaviour;
import io.taskbroker.testkit.CertificateAuthority;
import io.taskbroker.testkit.CertificateAuthority.Issued;
import io.taskbroker.testkit.ExecutionLog;
import io.taskbroker.testkit.PushWorker;
import io.taskbroker.testkit.TaskProducer;
import io.taskbroker.testkit.TaskTemplate;
import io.taskbroker.testkit.WorkerOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// The real process with TLS, and with unusual host names.
@Timeout(240)
@ExtendWith(SharedKafka.class)
final class TlsTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final String LOCAL = "127.0.0.1";
  private static final String SECRET = "a long secret value";
  private static final int TASKS = 200;

  private final CertificateAuthority brokers = new CertificateAuthority("brokers");
  private final CertificateAuthority workers = new CertificateAuthority("workers");
  private final ExecutionLog log = new ExecutionLog(TASKS);

  @TempDir private Path dir;

  @Test
  void tasksRunOverMutualTls(KafkaView view) throws Exception {
    Issued ofBroker = brokers.issue(dir, "broker", LOCAL);
    Issued ofWorker = workers.issue(dir, "worker", LOCAL);
    Path brokersCa = brokers.write(dir.resolve("brokers.pem"));
    Path workersCa = workers.write(dir.resolve("workers.pem"));
    BrokerSetup setup =
        BrokerSetup.pull(dir, "tls", view.bootstrap())
            .with("delivery_mode", "push")
            .with("grpc_shared_secret", "[\"" + SECRET + "\"]")
            .with("grpc_tls", files(ofBroker, "client_ca", workersCa))
            .with("worker_tls", files(ofBroker, "ca", workersCa));
    view.createTopics(setup, 1);
    try (var worker = new TlsWorker(setup.port(), ofWorker, brokersCa, SECRET)) {
      setup.with("worker_map", "{%s: \"%s\"}".formatted(BrokerSetup.APPLICATION, worker.url()));
      try (var broker = setup.start().awaitPort(PATIENCE)) {
        await().atMost(PATIENCE).until(worker::brokerServes);
        publish(view, setup);
        await().atMost(PATIENCE).until(() -> worker.completed() == TASKS);
        await().atMost(PATIENCE).until(() -> setup.rows() == 0);

        assertRefused(setup, InsecureChannelCredentials.create());
        assertRefused(
            setup, TlsChannelCredentials.newBuilder().trustManager(brokersCa.toFile()).build());
        assertThat(worker.brokerServes()).isTrue();
        assertThat(broker.stop(Duration.ofSeconds(30))).isZero();
        assertThat(setup.output())
            .anyMatch(line -> line.contains("grpc_tls.key"))
            .anyMatch(line -> line.contains("Refused a gRPC connection: the TLS handshake with"))
            .noneMatch(line -> line.contains("PRIVATE KEY"));
      }
    }
  }

  @Test
  void mismatchedFilesAreReportedAtTheStart(KafkaView view) throws Exception {
    Issued one = brokers.issue(dir, "one", LOCAL);
    Issued other = brokers.issue(dir, "other", LOCAL);
    BrokerSetup setup =
        BrokerSetup.pull(dir, "tls-files", view.bootstrap())
            .with(
                "grpc_tls",
                "{certificate: \"%s\", key: \"%s\"}".formatted(one.certificate(), other.key()));

    try (var broker = setup.start()) {
      await().atMost(PATIENCE).until(() -> broker.exitCode().isPresent());
      assertThat(broker.exitCode()).hasValue(1);
    }
    assertThat(setup.exitReasons())
        .containsExactly(
            "taskbroker: grpc_tls.key = %s: is not the key of the first certificate in grpc_tls.certificate = %s"
                .formatted(other.key(), one.certificate()));
  }

  /// A name as in a Docker Compose file.
  @Test
  void workerNamesMayContainUnderscores(KafkaView view) throws Exception {
    Path hosts = Files.writeString(dir.resolve("hosts"), "127.0.0.1 sentry_worker localhost\n");
    BrokerSetup setup = BrokerSetup.pull(dir, "underscore", view.bootstrap());
    view.createTopics(setup, 1);
    try (var worker =
        PushWorker.start(
            WorkerOptions.of(setup.address()), Behaviour.completing(Duration.ZERO), log)) {
      setup
          .with("delivery_mode", "push")
          .with(
              "worker_map",
              "{%s: \"http://sentry_worker:%d\"}".formatted(BrokerSetup.APPLICATION, worker.port()))
          .withJvmOption("-Djdk.net.hosts.file=" + hosts);
      try (var _ = setup.start().awaitServing(PATIENCE)) {
        publish(view, setup);
        await().atMost(PATIENCE).until(() -> log.completedTasks() == TASKS);
        assertThat(worker.awaitIdle(PATIENCE)).isTrue();
      }
    }
  }

  private static void assertRefused(BrokerSetup setup, ChannelCredentials credentials) {
    ManagedChannel channel = TlsWorker.connect(setup.port(), credentials);
    try {
      assertThatThrownBy(() ->
              HealthGrpc.newBlockingStub(channel).check(HealthCheckRequest.getDefaultInstance()))
          .isInstanceOf(StatusRuntimeException.class)
          .hasMessageStartingWith("UNAVAILABLE");
    } finally {
      channel.shutdownNow();
    }
  }

  private void publish(KafkaView view, BrokerSetup setup) {
    var template = new TaskTemplate(BrokerSetup.APPLICATION, "n", "t", 100, 1);
    try (var producer = new TaskProducer(view.bootstrap(), setup.topic(), log)) {
      for (int task = 0; task < TASKS; task++) {
        producer.send(task, template.task(task).build());
      }
      producer.flush();
    }
  }

  private static String files(Issued identity, String caKey, Path ca) {
    return "{certificate: \"%s\", key: \"%s\", %s: \"%s\"}"
        .formatted(identity.certificate(), identity.key(), caKey, ca);
  }
}
