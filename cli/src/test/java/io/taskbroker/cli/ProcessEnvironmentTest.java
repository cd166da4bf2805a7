package io.taskbroker.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.grpc.ManagedChannel;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.NettyChannelBuilder;
import io.taskbroker.testkit.BrokerProcess;
import io.taskbroker.testkit.TaskTemplate;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// Environment of the real process: temporary folder, locale and limits (G9).
@Timeout(240)
@ExtendWith(SharedKafka.class)
final class ProcessEnvironmentTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Duration STOP_TIME = Duration.ofSeconds(30);

  /// More than the broker of a build has open, with every library of the tests.
  private static final int DESCRIPTORS = 400;

  private static final String MOUNT = "mount -t tmpfs -o %s tmpfs \"$0\" && exec \"$@\"";

  /// Address without a listener, which does not prevent a start.
  private static final String NO_KAFKA = "127.0.0.1:1";

  @TempDir private Path dir;

  @Test
  void theTemporaryFolderIsCleanedAlsoAfterAKill(KafkaView view) throws Exception {
    Path temporary = Files.createDirectory(dir.resolve("tmp"));
    BrokerSetup setup =
        BrokerSetup.pull(dir, "left", view.bootstrap())
            .withJvmOption("-Djava.io.tmpdir=" + temporary);
    view.createTopics(setup, 1);
    try (BrokerProcess broker = setup.start()) {
      broker.awaitServing(PATIENCE);
      publishCompressed(view, setup);
      await().atMost(PATIENCE).until(() -> setup.rows() == 3);
      assertThat(in(temporary)).isNotEmpty();
      assertThat(broker.stop(STOP_TIME)).isZero();
    }
    assertThat(in(temporary)).isEmpty();

    try (BrokerProcess broker = setup.start()) {
      broker.awaitServing(PATIENCE);
      broker.kill();
    }
    assertThat(in(temporary)).isNotEmpty();
    List<Path> left = in(temporary);
    try (BrokerProcess broker = setup.start()) {
      broker.awaitServing(PATIENCE);
      assertThat(in(temporary)).isNotEmpty().doesNotContainAnyElementsOf(left);
      assertThat(broker.stop(STOP_TIME)).isZero();
    }
    assertThat(in(temporary)).isEmpty();
  }

  @Test
  void anUnusableTemporaryFolderIsOneLine() throws Exception {
    assertRefused(
        setup("missing").withJvmOption("-Djava.io.tmpdir=" + dir.resolve("nowhere")),
        dir.resolve("nowhere") + ": it does not exist",
        "-Djava.io.tmpdir=");
    Path disk = Files.createDirectory(dir.toRealPath().resolve("disk"));
    if (!canMount(disk)) {
      System.out.println("Cannot mount a file system: full and read-only folders were not tested");
      return;
    }
    assertRefusedOn(disk, "full", "size=100k", "No space left on device");
    assertRefusedOn(disk, "readonly", "ro", "Read-only file system");
    assertRefusedOn(disk, "noexec", "noexec", "noexec");
  }

  /// A locale with another character set must not alter text silently.
  @Test
  void whatTheLocaleWouldAlterIsRefusedInOneLine() throws Exception {
    String inAscii =
        "TASKBROKER_GRPC_SHARED_SECRET=$(printf '[cl\\303\\251]') LC_ALL=POSIX exec \"$@\"";
    BrokerSetup secret = setup("secret");
    assertRefused(
        secret,
        secret.startInside("sh", "-c", inAscii, "sh"),
        "environment variable TASKBROKER_GRPC_SHARED_SECRET",
        "LC_ALL=C.UTF-8");
    assertThat(secret.output()).noneMatch(line -> line.contains("cl"));
    BrokerSetup path = setup("path").with("runtime_config_path", "/etc/régles.yaml");
    assertRefused(
        path, path.startInside("env", "LC_ALL=POSIX"), "runtime_config_path", "LC_ALL=C.UTF-8");

    BrokerSetup right = setup("right");
    try (BrokerProcess broker =
        right.startInside("sh", "-c", inAscii.replace("POSIX", "C.UTF-8"), "sh")) {
      broker.awaitPort(PATIENCE);
      assertThat(broker.stop(STOP_TIME)).isZero();
    }
  }

  @Test
  void aTooLowFileLimitIsOneLine() throws Exception {
    BrokerSetup setup = setup("limit");
    assertRefused(
        setup,
        setup.startInside("sh", "-c", "ulimit -n 250; exec \"$@\"", "sh"),
        "the limit of open files is 250",
        "256",
        "ulimit -n");
  }

  /// Other peers' connections do not use up the descriptors that the broker needs.
  @Test
  void g7ConnectionsLeaveTheBrokerTheDescriptorsThatItNeeds(KafkaView view) throws Exception {
    BrokerSetup setup = BrokerSetup.pull(dir, "exhausted", view.bootstrap());
    view.createTopics(setup, 1);
    var connections = new ArrayList<Socket>();
    ManagedChannel channel = NettyChannelBuilder.forTarget(setup.address()).usePlaintext().build();
    try (BrokerProcess broker =
        setup.startInside("sh", "-c", "ulimit -n " + DESCRIPTORS + "; exec \"$@\"", "sh")) {
      broker.awaitServing(PATIENCE);
      assertThat(serves(channel)).isTrue();
      for (int i = 0; i < DESCRIPTORS; i++) {
        connections.add(new Socket(InetAddress.getLoopbackAddress(), setup.port()));
      }
      publishCompressed(view, setup);
      await().atMost(PATIENCE).until(() -> setup.rows() == 3);
      assertThat(serves(channel)).isTrue();

      for (Socket connection : connections) {
        connection.close();
      }
      broker.awaitServing(PATIENCE);
      assertThat(broker.stop(STOP_TIME)).isZero();
      assertThat(setup.output()).noneMatch(line -> line.contains("Too many open files"));
    } finally {
      channel.shutdownNow();
    }
  }

  private static boolean serves(ManagedChannel channel) {
    return HealthGrpc.newBlockingStub(channel)
            .withDeadlineAfter(PATIENCE)
            .check(HealthCheckRequest.getDefaultInstance())
            .getStatus()
        == ServingStatus.SERVING;
  }

  private BrokerSetup setup(String name) throws IOException {
    return BrokerSetup.pull(dir.toRealPath(), name, NO_KAFKA);
  }

  private static void assertRefusedOn(Path disk, String name, String options, String why)
      throws Exception {
    BrokerSetup setup =
        BrokerSetup.pull(Objects.requireNonNull(disk.getParent()), name, NO_KAFKA)
            .withJvmOption("-Djava.io.tmpdir=" + disk);
    assertRefused(
        setup,
        setup.startInside("unshare", "-Urm", "sh", "-c", MOUNT.formatted(options), disk.toString()),
        "Cannot unpack native libraries into " + disk,
        why,
        "-Djava.io.tmpdir=");
  }

  private static void assertRefused(BrokerSetup setup, String... words) throws Exception {
    assertRefused(setup, setup.start(), words);
  }

  private static void assertRefused(BrokerSetup setup, BrokerProcess process, String... words)
      throws Exception {
    try (process) {
      await().atMost(PATIENCE).until(() -> !process.isAlive());
      assertThat(setup.exitReasons()).singleElement().asString().contains(words);
      assertThat(setup.output()).noneMatch(line -> line.startsWith("\tat "));
      assertThat(process.exitCode()).hasValue(1);
    }
  }

  private static boolean canMount(Path disk) throws Exception {
    try {
      Process trial =
          new ProcessBuilder(
                  "unshare", "-Urm", "sh", "-c", MOUNT.formatted("ro"), disk.toString(), "true")
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      return trial.waitFor(10, TimeUnit.SECONDS) && trial.exitValue() == 0;
    } catch (IOException _) {
      return false;
    }
  }

  private static List<Path> in(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.toList();
    }
  }

  /// Publishes one task in each compression with a native library.
  private static void publishCompressed(KafkaView view, BrokerSetup setup) {
    var template = new TaskTemplate(BrokerSetup.APPLICATION, "n", "t", 2_000, 1);
    int task = 0;
    for (String compression : List.of("zstd", "lz4", "snappy")) {
      try (var producer =
          new KafkaProducer<>(
              Map.of("bootstrap.servers", view.bootstrap(), "compression.type", compression),
              new ByteArraySerializer(),
              new ByteArraySerializer())) {
        var _ =
            producer.send(
                new ProducerRecord<>(setup.topic(), template.task(task++).build().toByteArray()));
      }
    }
  }
}
