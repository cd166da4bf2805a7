package io.taskbroker.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.grpc.Grpc;
import io.grpc.InsecureServerCredentials;
import io.grpc.Server;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.testkit.Behaviour;
import io.taskbroker.testkit.Behaviour.Run;
import io.taskbroker.testkit.ExecutionLog;
import io.taskbroker.testkit.Ports;
import io.taskbroker.testkit.PullWorker;
import io.taskbroker.testkit.PushWorker;
import io.taskbroker.testkit.TaskTemplate;
import io.taskbroker.testkit.WorkerOptions;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// The incidents of docs/runbook.md as a drill: the fault is made on a real broker, and the
/// document's own commands find and repair it.
@Timeout(120)
@ExtendWith(SharedKafka.class)
final class RunbookTest {
  private static final Path DOCUMENT = Path.of("../docs/runbook.md");
  private static final Duration PATIENCE = Duration.ofSeconds(40);
  private static final String SHOP = "shop";
  private static final String IMPORT = "import";
  private static final int TASKS = 20;

  /// An argument of a command: quoted, or without white space.
  private static final Pattern ARGUMENT = Pattern.compile("\"([^\"]*)\"|(\\S+)");

  private final ExecutionLog log = new ExecutionLog(TASKS + 1);
  private final int adminPort = Ports.free();
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @TempDir private Path dir;

  @Test
  void everyIncidentTakesAtMostThreeCommands() throws IOException {
    String incidents = Files.readString(DOCUMENT).split("\n## Incidents\n", -1)[1];
    List<String> sections = List.of(incidents.split("\n### ", -1)).stream().skip(1).toList();
    assertThat(sections).hasSize(12);
    assertThat(sections).allSatisfy(section -> assertThat(commands(section)).hasSizeBetween(1, 3));
  }

  @Test
  void stuckApplication(KafkaView view) throws Exception {
    int workerPort = Ports.free();
    BrokerSetup setup = push(view, "drill-stuck", workerPort);
    try (var _ = setup.start().awaitServing(PATIENCE)) {
      publish(view, setup, 1, task -> task);
      List<String> commands = incident("Stuck application");
      await()
          .atMost(PATIENCE)
          .untilAsserted(() -> {
            assertThat(run(setup, commands.get(0), "")).as(err.toString()).isZero();
            assertThat(out.toString()).contains(SHOP, "http://127.0.0.1:" + workerPort);
            assertThat(run(setup, commands.get(1), "")).as(err.toString()).isZero();
            assertThat(run(setup, commands.get(2), firstId())).as(err.toString()).isZero();
            assertThat(out.toString()).contains("unreachable");
          });

      try (var worker = worker(setup, workerPort)) {
        await().atMost(PATIENCE).until(() -> log.completedTasks() == 1);
        assertThat(worker.awaitIdle(PATIENCE)).isTrue();
      }
    }
  }

  @Test
  void workerVersionMismatch(KafkaView view) throws Exception {
    Server wrong =
        Grpc.newServerBuilderForPort(0, InsecureServerCredentials.create()).build().start();
    int workerPort = wrong.getPort();
    BrokerSetup setup = push(view, "drill-version", workerPort);
    try (var _ = setup.start().awaitServing(PATIENCE)) {
      publish(view, setup, 1, task -> task);
      List<String> commands = incident("Worker version mismatch");
      await()
          .atMost(PATIENCE)
          .untilAsserted(() -> {
            assertThat(run(setup, commands.get(0), "")).as(err.toString()).isZero();
            assertThat(out.toString()).contains(SHOP, "http://127.0.0.1:" + workerPort);
          });
      assertThat(run(setup, commands.get(1), "")).as(err.toString()).isZero();
      wrong.shutdownNow().awaitTermination();
      try (var worker = worker(setup, workerPort)) {
        assertThat(run(setup, commands.get(2), "")).as(err.toString()).isZero();
        await().atMost(PATIENCE).until(() -> log.completedTasks() == 1);
        assertThat(worker.awaitIdle(PATIENCE)).isTrue();
      }
    } finally {
      wrong.shutdownNow();
    }
  }

  @Test
  void poisonTask(KafkaView view) throws Exception {
    BrokerSetup setup =
        pull(view, "drill-poison").with("upkeep_deadline_reset_skip_after_startup_sec", "0");
    try (var _ = setup.start().awaitServing(PATIENCE);
        var _ = pulling(setup, SHOP, (_, _) -> Run.silent(0))) {
      publish(view, setup, 1, task -> task.setProcessingDeadlineDuration(1));
      List<String> commands = incident("Poison task");
      await()
          .atMost(PATIENCE)
          .untilAsserted(() -> {
            assertThat(run(setup, commands.get(0), "")).as(err.toString()).isZero();
            assertThat(out.toString()).contains(IMPORT);
          });
      String id = firstId();
      await()
          .atMost(PATIENCE)
          .untilAsserted(
              () -> assertThat(run(setup, commands.get(1), id)).as(out.toString()).isZero());
      await().atMost(PATIENCE).until(() -> setup.rows() == 0);
    }
  }

  @Test
  void deadLetterFloodAndReplayAfterAFix(KafkaView view) throws Exception {
    BrokerSetup setup = pull(view, "drill-flood");
    try (var _ = setup.start().awaitServing(PATIENCE)) {
      try (var _ = pulling(setup, SHOP, (_, _) -> Run.failing(0))) {
        publish(view, setup, TASKS, RunbookTest::deadLettered);
        await().atMost(PATIENCE).until(() -> view.published(setup.deadLetters()) == TASKS);
      }
      List<String> flood = incident("DLQ flood after a bad deploy");
      assertThat(run(setup, flood.get(0), "")).as(err.toString()).isZero();
      assertThat(out.toString()).contains(IMPORT, Integer.toString(TASKS));
      assertThat(run(setup, flood.get(1), "")).as(err.toString()).isZero();
      assertThat(run(setup, "taskbroker resume --taskname import --reason \"rolled back\"", ""))
          .isZero();

      try (var _ = pulling(setup, SHOP, Behaviour.completing(Duration.ZERO))) {
        List<String> replay = incident("Replay after a fix");
        assertThat(run(setup, replay.get(0), "")).as(err.toString()).isZero();
        assertThat(log.completedTasks()).isZero();
        assertThat(run(setup, replay.get(1), "")).as(err.toString()).isZero();
        await().atMost(PATIENCE).until(() -> log.completedTasks() == TASKS);
        assertThat(run(setup, replay.get(1), "")).as(err.toString()).isZero();
        await().atMost(PATIENCE).untilAsserted(() -> view.assertAllCommitted(setup));
        assertThat(view.read(setup.topic())).as("published once each").hasSize(2 * TASKS);
      }
    }
  }

  @Test
  void tenantFlood(KafkaView view) throws Exception {
    BrokerSetup setup = pull(view, "drill-tenant");
    try (var _ = setup.start().awaitServing(PATIENCE)) {
      publish(view, setup, TASKS, task -> task);
      List<String> commands = incident("Tenant flood");
      await()
          .atMost(PATIENCE)
          .untilAsserted(() -> {
            assertThat(run(setup, commands.get(0), "")).as(err.toString()).isZero();
            assertThat(out.toString()).contains(SHOP);
          });
      assertThat(run(setup, commands.get(1), "")).as(err.toString()).isZero();
      try (var _ = pulling(setup, SHOP, Behaviour.completing(Duration.ZERO))) {
        try (var _ = pulling(setup, "other", Behaviour.completing(Duration.ZERO))) {
          view.publish(
              setup.topic(), template().task(TASKS).setApplication("other").build().toByteArray());
          await().atMost(PATIENCE).until(() -> log.completedTasks() == 1);
        }
        assertThat(run(setup, "taskbroker resume --application shop --reason over", "")).isZero();
        await().atMost(PATIENCE).until(() -> log.completedTasks() == TASKS + 1);
      }
    }
  }

  private BrokerSetup pull(KafkaView view, String name) throws Exception {
    BrokerSetup setup =
        BrokerSetup.pull(dir, name, view.bootstrap())
            .with("admin", "{addr: \"127.0.0.1:" + adminPort + "\"}");
    view.createTopics(setup, 1);
    return setup;
  }

  private BrokerSetup push(KafkaView view, String name, int workerPort) throws Exception {
    return pull(view, name)
        .with("delivery_mode", "push")
        .with("worker_map", "{%s: \"http://127.0.0.1:%d\"}".formatted(SHOP, workerPort));
  }

  private PushWorker worker(BrokerSetup setup, int port) {
    return PushWorker.start(
        WorkerOptions.of(setup.address()).onPort(port), Behaviour.completing(Duration.ZERO), log);
  }

  private PullWorker pulling(BrokerSetup setup, String application, Behaviour behaviour) {
    return PullWorker.start(WorkerOptions.of(setup.address()), application, behaviour, log);
  }

  private static TaskTemplate template() {
    return new TaskTemplate(SHOP, "n", IMPORT, 100, System.nanoTime());
  }

  private static TaskActivation.Builder deadLettered(TaskActivation.Builder task) {
    return task.setRetryState(template().deadLettered(0, 1).getRetryState());
  }

  private static void publish(
      KafkaView view, BrokerSetup setup, int tasks, UnaryOperator<TaskActivation.Builder> change)
      throws Exception {
    TaskTemplate template = template();
    for (int task = 0; task < tasks; task++) {
      view.publish(setup.topic(), change.apply(template.task(task)).build().toByteArray());
    }
  }

  /// First word of the first line below the header that the last command printed.
  private String firstId() {
    return out.toString().lines().skip(1).findFirst().orElseThrow().split(" ", 2)[0];
  }

  /// Commands of an incident, in order.
  private static List<String> incident(String title) throws IOException {
    String document = Files.readString(DOCUMENT);
    String section = document.split("\n### " + Pattern.quote(title) + "\n", -1)[1];
    return commands(section.split("\n### ", -1)[0]);
  }

  private static List<String> commands(String section) {
    String[] parts = section.split("```(?:sh)?\n", -1);
    return parts.length < 2 ? List.of() : parts[1].lines().toList();
  }

  /// Runs a command of the document on this broker.
  ///
  /// @param id replaces `ID`
  private int run(BrokerSetup setup, String command, String id) {
    out.getBuffer().setLength(0);
    err.getBuffer().setLength(0);
    List<String> words = new ArrayList<>();
    ARGUMENT
        .matcher(command)
        .results()
        .map(word -> word.group(1) == null ? word.group(2) : word.group(1))
        .map(word -> word.equals("ID") ? id : word)
        .map(word -> word.equals("config.yaml") ? setup.config().toString() : word)
        .forEach(words::add);
    assertThat(words.removeFirst()).isEqualTo("taskbroker");
    if (!words.contains("-c")) {
      words.addAll(List.of("--admin", "http://127.0.0.1:" + adminPort));
    }
    return Main.commandLine()
        .setOut(new PrintWriter(out, true))
        .setErr(new PrintWriter(err, true))
        .execute(words.toArray(String[]::new));
  }
}
