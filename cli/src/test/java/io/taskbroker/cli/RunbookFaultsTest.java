package io.taskbroker.cli;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.testkit.Behaviour;
import io.taskbroker.testkit.BrokerProcess;
import io.taskbroker.testkit.CertificateAuthority;
import io.taskbroker.testkit.EmbeddedKafka;
import io.taskbroker.testkit.ExecutionLog;
import io.taskbroker.testkit.Ports;
import io.taskbroker.testkit.PostgresServer;
import io.taskbroker.testkit.PullWorker;
import io.taskbroker.testkit.TaskTemplate;
import io.taskbroker.testkit.WorkerOptions;
import java.io.IOException;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// The incidents of docs/runbook.md that are faults below the broker: disk, Kafka, Postgres, clock,
/// certificates, a second process. Each is made on a real broker, and the document's own commands
/// find it and repair it.
@Timeout(240)
@ExtendWith(SharedKafka.class)
final class RunbookFaultsTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int TASKS = 10;
  private static final String MOUNT = "mount -t tmpfs -o size=140m tmpfs \"$0\" && exec \"$@\"";

  private final ExecutionLog log = new ExecutionLog(TASKS + 1);
  private final int adminPort = Ports.free();
  private final Runbook runbook = new Runbook(adminPort);

  @TempDir private Path dir;

  /// Needs the right to mount a file system in a user namespace; without it, it prints so and ends.
  @Test
  void diskNearlyFull(KafkaView view) throws Exception {
    Path disk = Files.createDirectory(dir.toRealPath().resolve("disk"));
    if (!canMount(disk)) {
      System.out.println("Cannot mount a file system: a full disk was not drilled");
      return;
    }
    BrokerSetup setup =
        pull(view, "drill-disk")
            .with("store", "{sqlite: {path: \"%s/store.sqlite\"}}".formatted(disk));
    try (var pages = BrokerPages.of(setup);
        BrokerProcess broker =
            setup.startInside("unshare", "-Urm", "sh", "-c", MOUNT, disk.toString())) {
      broker.awaitServing(PATIENCE);
      Path seen = Path.of("/proc/" + broker.pid() + "/root" + disk);
      Path filler = seen.resolve("filler");
      fill(filler, 60);
      publish(view, setup, 0);
      List<String> commands = Runbook.commands("Disk nearly full");
      await()
          .atMost(PATIENCE)
          .untilAsserted(
              () -> assertThat(runbook.succeed(setup, commands.get(0))).contains("store_full"));
      String process = Long.toString(broker.pid());
      assertThat(
              runbook.succeedInside(
                  List.of("nsenter", "-t", process, "-U", "-m", "--preserve-credentials"),
                  commands.get(1),
                  Map.of("/var/lib/taskbroker", disk.toString())))
          .contains("140M", "tmpfs");
      runbook.succeed(setup, commands.get(2));
      assertThat(pages.status("/readyz")).isEqualTo(200);

      Files.delete(filler);
      awaitHealthy(setup, commands.get(0));
      awaitDone(setup);
    }
  }

  @Test
  void kafkaPartitionStuck() throws Exception {
    Path data = dir.resolve("kafka");
    try (var kafka = EmbeddedKafka.start(data);
        var view = new KafkaView(kafka.bootstrap())) {
      BrokerSetup setup = pull(view, "drill-record");
      for (int task = 0; task < TASKS; task++) {
        publish(view, setup, task);
      }
      int damaged = TASKS / 2;
      damage(data.resolve(setup.topic() + "-0"), "id-of-" + damaged);
      try (var _ = BrokerPages.of(setup);
          var _ = setup.start()) {
        List<String> commands = Runbook.commands("Kafka partition stuck");
        await()
            .atMost(PATIENCE)
            .untilAsserted(() -> {
              int _ = runbook.run(setup, commands.get(0));
              assertThat(runbook.out())
                  .contains("partition " + setup.topic() + "-0 at offset " + damaged);
            });
        await()
            .atMost(PATIENCE)
            .untilAsserted(
                () -> assertThat(runbook.succeed(setup, commands.get(1))).contains(setup.topic()));
        deleteRecords(kafka, setup, commands.get(2), damaged + 1);
        awaitHealthy(setup, commands.get(0));
        try (var worker = worker(setup)) {
          await().atMost(PATIENCE).until(() -> log.completedTasks() == TASKS - 1);
          assertThat(worker.awaitIdle(PATIENCE)).isTrue();
        }
        assertThat(log.starts(damaged)).isZero();
      }
    }
  }

  /// Does what Kafka's own script does, with the file that the runbook shows.
  private void deleteRecords(EmbeddedKafka kafka, BrokerSetup setup, String command, int offset)
      throws Exception {
    assertThat(command)
        .isEqualTo("kafka-delete-records.sh --bootstrap-server KAFKA --offset-json-file skip.json");
    String shown =
        Runbook.incidents().stream()
            .flatMap(String::lines)
            .filter(line -> line.contains("\"offset\": OFFSET"))
            .map(line -> line.substring(line.indexOf('{'), line.lastIndexOf('}') + 1))
            .findFirst()
            .orElseThrow()
            .replace("shop-tasks", setup.topic())
            .replace("OFFSET", Integer.toString(offset));
    var records = new HashMap<TopicPartition, RecordsToDelete>();
    for (JsonNode each : AdminCalls.JSON.readTree(shown).path("partitions")) {
      records.put(
          new TopicPartition(each.path("topic").asString(), each.path("partition").asInt()),
          RecordsToDelete.beforeOffset(each.path("offset").asLong()));
    }
    try (var admin = Admin.create(Map.<String, Object>of("bootstrap.servers", kafka.bootstrap()))) {
      admin.deleteRecords(records).all().get();
    }
  }

  /// A store was copied, and its copy is started beside it.
  @Test
  void brokerFenced(KafkaView view) throws Exception {
    BrokerSetup setup = pull(view, "drill-fenced").with("kafka_session_timeout_ms", "6000");
    try (var broker = setup.start().awaitServing(PATIENCE)) {
      publish(view, setup, 0);
      await()
          .atMost(PATIENCE)
          .until(() -> setup.inStore("SELECT count(*) FROM watermark WHERE committed = 1") == 1);
      int copyPort = Ports.free();
      BrokerSetup copy =
          copyOf(setup, view).with("admin", "{addr: \"127.0.0.1:" + copyPort + "\"}");
      try (var other = copy.start().awaitServing(PATIENCE)) {
        await().atMost(PATIENCE).until(() -> !broker.isAlive());
        assertThat(setup.exitReasons())
            .singleElement()
            .asString()
            .contains("Another broker runs as ");

        List<String> commands = Runbook.commands("Broker fenced");
        assertThat(runbook.succeed(setup, commands.get(0))).contains(setup.store().toString());
        assertThat(runbook.succeed(copy, commands.get(0))).contains(copy.store().toString());
        assertThat(new Runbook(copyPort).succeed(copy, commands.get(1))).contains("yes");
        assertThat(other.stop(Duration.ofSeconds(30))).isZero();
      }
      for (String suffix : List.of("", "-wal", "-shm", ".lock")) {
        Files.deleteIfExists(Path.of(copy.store() + suffix));
      }
      try (var first = setup.start().awaitServing(PATIENCE);
          var second = copy.start().awaitServing(PATIENCE)) {
        awaitDone(setup);
        assertThat(first.isAlive()).isTrue();
        assertThat(second.isAlive()).isTrue();
      }
    }
  }

  /// The same broker with a copy of the store, which is at rest.
  private BrokerSetup copyOf(BrokerSetup setup, KafkaView view) throws IOException {
    BrokerSetup copy =
        BrokerSetup.pull(dir.resolve("copy"), "drill-fenced", view.bootstrap())
            .with("kafka_session_timeout_ms", "6000");
    for (String suffix : List.of("", "-wal", "-shm")) {
      Path from = Path.of(setup.store() + suffix);
      if (Files.exists(from)) {
        Files.copy(from, Path.of(copy.store() + suffix));
      }
    }
    return copy;
  }

  /// Two incidents of one broker: its certificate has ended, and its clock steps.
  @Test
  void certificateExpiredAndClockStep(KafkaView view) throws Exception {
    var authority = new CertificateAuthority("brokers");
    Instant now = Instant.now();
    CertificateAuthority.Issued old =
        authority.issue(dir, "broker", now.minusSeconds(60), now.minusSeconds(1), "127.0.0.1");
    BrokerSetup setup =
        pull(view, "drill-tls")
            .with(
                "grpc_tls",
                "{certificate: \"%s\", key: \"%s\"}".formatted(old.certificate(), old.key()));
    Path clock = dir.resolve("offset");
    try (var _ = BrokerPages.of(setup);
        var _ = setup.startWith(SteppedClock.option(dir, clock)).awaitPort(PATIENCE)) {
      String health = Runbook.commands("Certificate expired").getFirst();
      await()
          .atMost(PATIENCE)
          .untilAsserted(() ->
              assertThat(runbook.succeed(setup, health))
                  .contains("certificate_expired", old.certificate().toString()));
      authority.issue(dir, "broker", now, now.plus(Duration.ofDays(30)), "127.0.0.1");
      awaitHealthy(setup, health);

      List<String> commands = Runbook.commands("Clock step");
      SteppedClock.set(clock, Duration.ofHours(2));
      await()
          .atMost(PATIENCE)
          .untilAsserted(() ->
              assertThat(runbook.succeed(setup, commands.get(0)))
                  .contains("clock_stepped")
                  .containsPattern("stepped by \\+7\\d{3} s"));
      assertThat(runbook.succeed(setup, commands.get(1))).contains("UTC");
      SteppedClock.set(clock, Duration.ZERO);
      await()
          .atMost(PATIENCE)
          .untilAsserted(() ->
              assertThat(runbook.succeed(setup, commands.get(0)))
                  .containsPattern("stepped by -7\\d{3} s"));
    }
  }

  /// The server goes away, and comes back without its last transactions.
  @Test
  void postgresFailover(KafkaView view) throws Exception {
    try (var server = PostgresServer.start(Map.of("max_connections", "50"))) {
      PostgresServer.Database database = server.newDatabase();
      BrokerSetup setup =
          pull(view, "drill-failover")
              .with("upkeep_deadline_reset_skip_after_startup_sec", "1")
              .with(
                  "store",
                  """
                  {adapter: postgres, sqlite: {path: "%s"}, pg: {host: "%s", port: %d, \
                  database_name: %s, username: %s, password: %s, run_migrations: true}}\
                  """
                      .formatted(
                          dir.resolve("failover.sqlite"),
                          database.host(),
                          database.port(),
                          database.name(),
                          database.username(),
                          database.password()));
      try (var pages = BrokerPages.of(setup);
          var _ = setup.start().awaitServing(PATIENCE)) {
        await()
            .atMost(PATIENCE)
            .until(() -> pages.metric("taskbroker_arroyo_consumer_current_partitions") == 1);
        server.stop();
        Path standby = dir.resolve("standby");
        server.rewind(standby);
        server.startAgain();
        publish(view, setup, 0);
        await().atMost(PATIENCE).untilAsserted(() -> view.assertAllCommitted(setup));
        server.stop();
        publish(view, setup, 1);
        List<String> commands = Runbook.commands("Postgres failover");
        await()
            .atMost(PATIENCE)
            .untilAsserted(() -> {
              int _ = runbook.run(setup, commands.get(0));
              assertThat(runbook.out()).contains("store_unavailable");
            });
        server.rewind(standby);
        server.startAgain();
        awaitHealthy(setup, commands.get(0));
        try (var worker = worker(setup)) {
          await().atMost(PATIENCE).until(() -> log.completedTasks() == 2);
          assertThat(worker.awaitIdle(PATIENCE)).isTrue();
        }
        assertThat(setup.output()).anyMatch(line -> line.contains("went back in time"));
        await()
            .atMost(PATIENCE)
            .untilAsserted(() ->
                assertThat(
                        runbook.succeed(
                            setup, commands.get(1), Map.of("shop-tasks", setup.topic())))
                    .doesNotContain("unaccounted"));
      }
    }
  }

  private BrokerSetup pull(KafkaView view, String name) throws Exception {
    BrokerSetup setup =
        BrokerSetup.pull(dir.toRealPath(), name, view.bootstrap())
            .with("admin", "{addr: \"127.0.0.1:" + adminPort + "\"}");
    view.createTopics(setup, 1);
    return setup;
  }

  private static void publish(KafkaView view, BrokerSetup setup, int task) throws Exception {
    var template = new TaskTemplate(BrokerSetup.APPLICATION, "n", "t", 100, 1);
    view.publish(setup.topic(), template.task(task).setId("id-of-" + task).build().toByteArray());
  }

  private PullWorker worker(BrokerSetup setup) {
    return PullWorker.start(
        WorkerOptions.of(setup.address()),
        BrokerSetup.APPLICATION,
        Behaviour.completing(Duration.ZERO),
        log);
  }

  private void awaitDone(BrokerSetup setup) throws InterruptedException {
    try (var worker = worker(setup)) {
      await().atMost(PATIENCE).until(() -> log.completedTasks() == 1);
      assertThat(worker.awaitIdle(PATIENCE)).isTrue();
    }
  }

  private void awaitHealthy(BrokerSetup setup, String health) {
    await()
        .atMost(PATIENCE)
        .untilAsserted(() -> assertThat(runbook.succeed(setup, health).strip()).isEqualTo("ready"));
  }

  private static boolean canMount(Path disk) throws Exception {
    try {
      Process trial =
          new ProcessBuilder("unshare", "-Urm", "sh", "-c", MOUNT, disk.toString(), "true")
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      return trial.waitFor(10, TimeUnit.SECONDS) && trial.exitValue() == 0;
    } catch (IOException _) {
      return false;
    }
  }

  private static void fill(Path file, int mebibytes) throws IOException {
    byte[] block = new byte[1 << 20];
    try (OutputStream out = Files.newOutputStream(file)) {
      for (int i = 0; i < mebibytes; i++) {
        out.write(block);
      }
    }
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
}
