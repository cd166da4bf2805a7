package io.taskbroker.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.grpc.Grpc;
import io.grpc.InsecureServerCredentials;
import io.grpc.Server;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.testkit.Behaviour.Run;
import io.taskbroker.testkit.ExecutionLog;
import io.taskbroker.testkit.Ports;
import io.taskbroker.testkit.PullWorker;
import io.taskbroker.testkit.TaskTemplate;
import io.taskbroker.testkit.WorkerOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// The faults behind the alerts about tasks and workers, made for real: the expression of each
/// alert becomes true on the pages of the real process. `HealthTest` has those about stages.
@Timeout(240)
@ExtendWith(SharedKafka.class)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
final class AlertFaultsTest {
  private static final Duration PATIENCE = Duration.ofSeconds(90);
  private static final int FLOOD = 120;

  /// Open from the first test on: the condition needs a minute.
  private static OpenTransaction transaction;

  private final ExecutionLog log = new ExecutionLog(FLOOD);
  private String before = "";

  @TempDir private Path dir;
  private AlertRules rules;

  @BeforeAll
  static void openTransaction(@TempDir Path dir, KafkaView view) throws Exception {
    transaction = OpenTransaction.start(dir, view);
  }

  @AfterAll
  static void endTransaction() {
    transaction.close();
  }

  @BeforeEach
  void readRules() throws IOException {
    rules = new AlertRules();
  }

  /// One dead letter first, so that the counter of its task exists.
  @Test
  void failingTasksFloodTheDeadLetterTopic(KafkaView view) throws Exception {
    BrokerSetup setup = BrokerSetup.pull(dir, "alert-flood", view.bootstrap());
    view.createTopics(setup, 1);
    try (var pages = BrokerPages.of(setup);
        var _ = setup.start().awaitServing(PATIENCE);
        var _ =
            PullWorker.start(
                WorkerOptions.of(setup.address()).withConcurrency(20),
                BrokerSetup.APPLICATION,
                (_, _) -> Run.failing(0),
                log)) {
      publish(view, setup, 1, AlertFaultsTest::deadLettered);
      await().atMost(PATIENCE).until(() -> deadLetters(pages) == 1);
      before = pages.get("/metrics").body();
      publish(view, setup, FLOOD, AlertFaultsTest::deadLettered);
      awaitAlert(pages, "TaskbrokerDeadLetterFlood");
    }
  }

  /// Nobody asks for the tasks, of which intake takes ten.
  @Test
  void tasksWithoutWorkersWaitLongAndHoldIntakeBack(KafkaView view) throws Exception {
    BrokerSetup setup =
        BrokerSetup.pull(dir, "alert-wait", view.bootstrap()).withStore("max_pending_count: 10");
    view.createTopics(setup, 1);
    try (var pages = BrokerPages.of(setup);
        var _ = setup.start().awaitServing(PATIENCE)) {
      Instant hourAgo = Instant.now().minus(Duration.ofHours(1));
      publish(view, setup, FLOOD, task -> task.setReceivedAt(TaskTemplate.timestamp(hourAgo)));
      await()
          .atMost(PATIENCE)
          .until(() ->
              pages.metric("taskbroker_consumer_inflight_activation_writer_backpressure_total")
                  > 0);
      before = pages.get("/metrics").body();
      awaitAlert(pages, "TaskbrokerTasksWaitLong");
      awaitAlert(pages, "TaskbrokerApplicationHeldBack");
    }
  }

  @Test
  void aTaskThatNeverEndsIsPoison(KafkaView view) throws Exception {
    BrokerSetup setup =
        BrokerSetup.pull(dir, "alert-poison", view.bootstrap())
            .with("upkeep_deadline_reset_skip_after_startup_sec", "0")
            .withStore("max_processing_attempts: 1");
    view.createTopics(setup, 1);
    try (var pages = BrokerPages.of(setup);
        var _ = setup.start().awaitServing(PATIENCE)) {
      before = pages.get("/metrics").body();
      try (var _ =
          PullWorker.start(
              WorkerOptions.of(setup.address()),
              BrokerSetup.APPLICATION,
              (_, _) -> Run.silent(0),
              log)) {
        publish(view, setup, 1, task -> task.setProcessingDeadlineDuration(1));
        awaitAlert(pages, "TaskbrokerPoisonTask");
      }
    }
  }

  /// One application has no worker at its address, the other a server that knows no task.
  @Test
  void workersThatAreGoneOrWrongAreSeen(KafkaView view) throws Exception {
    Server wrong =
        Grpc.newServerBuilderForPort(0, InsecureServerCredentials.create()).build().start();
    BrokerSetup setup =
        BrokerSetup.pull(dir, "alert-workers", view.bootstrap())
            .with("delivery_mode", "push")
            .with(
                "worker_map",
                "{gone: \"http://127.0.0.1:%d\", wrong: \"http://127.0.0.1:%d\"}"
                    .formatted(Ports.free(), wrong.getPort()));
    view.createTopics(setup, 1);
    try (var pages = BrokerPages.of(setup);
        var _ = setup.start().awaitServing(PATIENCE)) {
      before = pages.get("/metrics").body();
      publish(view, setup, 5, task -> task.setApplication("gone"));
      publish(view, setup, 5, task -> task.setApplication("wrong"));
      awaitAlert(pages, "TaskbrokerWorkersReject");
      await()
          .atMost(PATIENCE)
          .until(
              () -> pages.metric("taskbroker_push_outcome_total", "outcome=\"unreachable\"") > 0);
      before = pages.get("/metrics").body();
      awaitAlert(pages, "TaskbrokerWorkersUnreachable");
    } finally {
      wrong.shutdownNow();
    }
  }

  @Test
  void deadLettersWithoutATopicOrTooLargeForItAreSeen(KafkaView view) throws Exception {
    BrokerSetup setup = BrokerSetup.pull(dir, "alert-topic", view.bootstrap());
    view.createTopic(setup.topic(), 1, Map.of());
    try (var pages = BrokerPages.of(setup);
        var _ = setup.start().awaitServing(PATIENCE)) {
      awaitAlert(pages, "TaskbrokerTopicMissing");
      view.createTopic(setup.deadLetters(), 1, Map.of("max.message.bytes", "1000"));
      view.publish(setup.topic(), new byte[5_000]);
      awaitAlert(pages, "TaskbrokerQuarantine");
    }
  }

  /// The store's file is lost while Kafka knows what it had.
  @Test
  void aLostStoreIsSeen(KafkaView view) throws Exception {
    BrokerSetup setup = BrokerSetup.pull(dir, "alert-lost", view.bootstrap());
    view.createTopics(setup, 1);
    try (var broker = setup.start().awaitServing(PATIENCE)) {
      publish(view, setup, 5, task -> task);
      await().atMost(PATIENCE).untilAsserted(() -> view.assertAllCommitted(setup));
      broker.kill();
    }
    Files.delete(setup.store());
    Files.deleteIfExists(Path.of(setup.store() + "-wal"));
    Files.deleteIfExists(Path.of(setup.store() + "-shm"));
    try (var pages = BrokerPages.of(setup);
        var _ = setup.start().awaitServing(PATIENCE)) {
      before =
          "taskbroker_consumer_store_went_back_total{topic=\"%s\"} 0.0".formatted(setup.topic());
      awaitAlert(pages, "TaskbrokerStoreWentBack");
    }
  }

  @Test
  @Order(Integer.MAX_VALUE)
  void aTransactionThatDoesNotEndIsSeen() {
    awaitAlert(transaction.pages(), "TaskbrokerTransactionOpen");
  }

  private void awaitAlert(BrokerPages pages, String alert) {
    await()
        .alias(alert)
        .atMost(PATIENCE)
        .untilAsserted(() -> {
          String now = pages.get("/metrics").body();
          assertThat(rules.fires(alert, before, now)).as(now).isTrue();
        });
    System.out.printf("The fault of %s made its expression true%n", alert);
  }

  private static double deadLetters(BrokerPages pages) throws Exception {
    return pages.metric("taskbroker_tasks_dead_lettered_total");
  }

  private static TaskActivation.Builder deadLettered(TaskActivation.Builder task) {
    task.setRetryState(
        new TaskTemplate(BrokerSetup.APPLICATION, "n", "t", 100, 1)
            .deadLettered(0, 1)
            .getRetryState());
    return task;
  }

  private static void publish(
      KafkaView view, BrokerSetup setup, int tasks, UnaryOperator<TaskActivation.Builder> change)
      throws Exception {
    var template = new TaskTemplate(BrokerSetup.APPLICATION, "n", "t", 100, System.nanoTime());
    for (int task = 0; task < tasks; task++) {
      view.publish(setup.topic(), change.apply(template.task(task)).build().toByteArray());
    }
  }
}
