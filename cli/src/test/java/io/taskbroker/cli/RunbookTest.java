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
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// The incidents of docs/runbook.md as a drill: the fault is made on a real broker, and the
/// document's own commands find and repair it.
@Timeout(240)
@ExtendWith(SharedKafka.class)
final class RunbookTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final String SHOP = "shop";
  private static final String IMPORT = "import";
  private static final int TASKS = 20;

  private final ExecutionLog log = new ExecutionLog(TASKS + 1);
  private final int adminPort = Ports.free();
  private final Runbook runbook = new Runbook(adminPort);

  @TempDir private Path dir;

  @Test
  void everyIncidentTakesAtMostThreeCommands() throws IOException {
    assertThat(Runbook.incidents())
        .hasSize(12)
        .allSatisfy(incident -> assertThat(Runbook.commandsOf(incident)).hasSizeBetween(1, 3));
  }

  @Test
  void stuckApplication(KafkaView view) throws Exception {
    int workerPort = Ports.free();
    BrokerSetup setup = push(view, "drill-stuck", workerPort);
    try (var _ = setup.start().awaitServing(PATIENCE)) {
      publish(view, setup, 1, task -> task);
      List<String> commands = Runbook.commands("Stuck application");
      await()
          .atMost(PATIENCE)
          .untilAsserted(() -> {
            runbook.succeed(setup, commands.get(0));
            assertThat(runbook.out()).contains(SHOP, "http://127.0.0.1:" + workerPort);
            runbook.succeed(setup, commands.get(1));
            runbook.succeed(setup, commands.get(2), Map.of("ID", runbook.firstId()));
            assertThat(runbook.out()).contains("unreachable");
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
      List<String> commands = Runbook.commands("Worker version mismatch");
      await()
          .atMost(PATIENCE)
          .untilAsserted(() -> {
            runbook.succeed(setup, commands.get(0));
            assertThat(runbook.out()).contains(SHOP, "http://127.0.0.1:" + workerPort);
          });
      runbook.succeed(setup, commands.get(1));
      wrong.shutdownNow().awaitTermination();
      try (var worker = worker(setup, workerPort)) {
        runbook.succeed(setup, commands.get(2));
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
      List<String> commands = Runbook.commands("Poison task");
      await()
          .atMost(PATIENCE)
          .untilAsserted(() -> {
            runbook.succeed(setup, commands.get(0));
            assertThat(runbook.out()).contains(IMPORT);
          });
      String id = runbook.firstId();
      await()
          .atMost(PATIENCE)
          .untilAsserted(() -> runbook.succeed(setup, commands.get(1), Map.of("ID", id)));
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
      List<String> flood = Runbook.commands("DLQ flood after a bad deploy");
      runbook.succeed(setup, flood.get(0));
      assertThat(runbook.out()).contains(IMPORT, Integer.toString(TASKS));
      runbook.succeed(setup, flood.get(1));
      runbook.succeed(setup, "taskbroker resume --taskname import --reason \"rolled back\"");

      try (var _ = pulling(setup, SHOP, Behaviour.completing(Duration.ZERO))) {
        List<String> replay = Runbook.commands("Replay after a fix");
        runbook.succeed(setup, replay.get(0));
        assertThat(log.completedTasks()).isZero();
        runbook.succeed(setup, replay.get(1));
        await().atMost(PATIENCE).until(() -> log.completedTasks() == TASKS);
        runbook.succeed(setup, replay.get(1));
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
      List<String> commands = Runbook.commands("Tenant flood");
      await()
          .atMost(PATIENCE)
          .untilAsserted(() -> {
            runbook.succeed(setup, commands.get(0));
            assertThat(runbook.out()).contains(SHOP);
          });
      runbook.succeed(setup, commands.get(1));
      try (var _ = pulling(setup, SHOP, Behaviour.completing(Duration.ZERO))) {
        try (var _ = pulling(setup, "other", Behaviour.completing(Duration.ZERO))) {
          view.publish(
              setup.topic(), template().task(TASKS).setApplication("other").build().toByteArray());
          await().atMost(PATIENCE).until(() -> log.completedTasks() == 1);
        }
        runbook.succeed(setup, "taskbroker resume --application shop --reason over");
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
}
