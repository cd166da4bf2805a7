package io.taskbroker.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.testkit.Behaviour.Result;
import io.taskbroker.testkit.Behaviour.Run;
import io.taskbroker.testkit.EmbeddedKafka;
import io.taskbroker.testkit.ExecutionLog;
import io.taskbroker.testkit.Ports;
import io.taskbroker.testkit.PushWorker;
import io.taskbroker.testkit.TaskProducer;
import io.taskbroker.testkit.TaskTemplate;
import io.taskbroker.testkit.WorkerOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Kafka is down when the real process starts, lacks the topics when it comes up, and fails while
/// tasks run: nothing is lost and nothing else stops (G4, G8, G9, H19, H25).
@Timeout(240)
final class KafkaOutageTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /// Time that a stage may have work without progress before the broker becomes unready.
  private static final Duration STUCK = Duration.ofSeconds(10);

  private static final int TASKS = 300;

  private final int kafkaPort = Ports.free();
  private final ExecutionLog log = new ExecutionLog(TASKS);

  @TempDir private Path dir;

  @Test
  void g4NothingIsLostWhenKafkaComesLateAndGoesAway() throws Exception {
    BrokerSetup setup = BrokerSetup.pull(dir, "outage", "127.0.0.1:" + kafkaPort);
    try (var worker =
        PushWorker.start(WorkerOptions.of(setup.address()), KafkaOutageTest::behave, log)) {
      setup
          .with("delivery_mode", "push")
          .with("worker_map", "{%s: \"%s\"}".formatted(BrokerSetup.APPLICATION, worker.url()));
      try (var broker = setup.start().awaitServing(PATIENCE)) {
        awaitOneLine(setup, "Kafka at 127.0.0.1:" + kafkaPort + " does not answer");

        try (var kafka = startKafka();
            var view = new KafkaView(kafka.bootstrap())) {
          awaitOneLine(setup, "Topic " + setup.topic() + " does not exist at ");
          view.createTopics(setup, 2);
          worker.holdReports();
          publish(kafka, setup);
          await().atMost(PATIENCE).until(() -> log.starts() == TASKS);
          await().untilAsserted(() -> view.assertAllCommitted(setup));
        }

        worker.releaseReports();
        await().atMost(PATIENCE).until(() -> log.acknowledged() == TASKS);
        assertThat(setup.rows()).as("rows that wait for Kafka").isEqualTo(TASKS * 2 / 3);
        long waiting = System.nanoTime();
        await()
            .atMost(STUCK.plus(PATIENCE))
            .until(() -> System.nanoTime() - waiting > STUCK.plusSeconds(1).toNanos());
        broker.awaitServing(PATIENCE);

        try (var kafka = startKafka();
            var view = new KafkaView(kafka.bootstrap())) {
          await().atMost(PATIENCE).untilAsserted(() -> assertDeadLetters(view, setup));
          await().atMost(PATIENCE).until(() -> log.completedTasks() == TASKS * 2 / 3);
          assertThat(worker.awaitIdle(PATIENCE)).isTrue();
          await().until(() -> setup.rows() == 0);
          await().untilAsserted(() -> view.assertAllCommitted(setup));
          assertRuns();
          assertThat(broker.stop(Duration.ofSeconds(30))).isZero();
        }
        assertThat(setup.output())
            .noneMatch(line -> line.contains("not ready"))
            .noneMatch(line -> line.startsWith("\tat "));
        assertThat(setup.output().stream().filter(KafkaOutageTest::isComplaint))
            .as("complaints")
            .hasSizeLessThan(12);
      }
    }
  }

  private EmbeddedKafka startKafka() {
    return EmbeddedKafka.startOnPort(dir.resolve("kafka"), kafkaPort);
  }

  private static boolean isComplaint(String line) {
    return line.contains(" WARN ") || line.contains(" ERROR ");
  }

  private static void awaitOneLine(BrokerSetup setup, String words) {
    await()
        .alias(words)
        .atMost(PATIENCE)
        .untilAsserted(() ->
            assertThat(setup.output())
                .filteredOn(line -> line.contains(words))
                .singleElement()
                .matches(KafkaOutageTest::isComplaint));
  }

  private void publish(EmbeddedKafka kafka, BrokerSetup setup) {
    var template = new TaskTemplate(BrokerSetup.APPLICATION, "n", "t", 100, 1);
    try (var producer = new TaskProducer(kafka.bootstrap(), setup.topic(), log)) {
      for (int task = 0; task < TASKS; task++) {
        producer.send(
            task, template.deadLettered(task, 3).setProcessingDeadlineDuration(120).build());
      }
      producer.flush();
    }
  }

  /// A third is retried, and a third fails.
  private static Run behave(TaskActivation activation, int start) {
    if (start > 1) {
      return Run.completing(10);
    }
    return switch (TaskTemplate.numberOf(activation) % 3) {
      case 0 -> Run.completing(10);
      case 1 -> Run.retrying(10, 3, 1);
      default -> Run.failing(10);
    };
  }

  private static void assertDeadLetters(KafkaView view, BrokerSetup setup) throws Exception {
    assertThat(view.deadTasks(setup))
        .containsExactlyElementsOf(
            IntStream.range(0, TASKS).filter(task -> task % 3 == 2).boxed().toList());
  }

  private void assertRuns() {
    for (int task = 0; task < TASKS; task++) {
      boolean retried = task % 3 == 1;
      assertThat(log.starts(task)).as("runs of task %d", task).isEqualTo(retried ? 2 : 1);
      assertThat(log.acknowledged(Result.COMPLETE, task)).isEqualTo(task % 3 == 2 ? 0 : 1);
    }
  }
}
