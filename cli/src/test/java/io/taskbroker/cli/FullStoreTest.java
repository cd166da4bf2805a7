package io.taskbroker.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.testkit.Behaviour;
import io.taskbroker.testkit.ExecutionLog;
import io.taskbroker.testkit.PullWorker;
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

/// The store of a real process is full: intake stops, reports and deliveries go on, and intake
/// resumes as rows are deleted (G7, H12).
@Timeout(240)
@ExtendWith(SharedKafka.class)
final class FullStoreTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int TASKS = 1_000;
  private static final int TASK_BYTES = 20_000;
  private static final int MAX_SIZE = 2_000_000;

  /// Bytes that may be in flight to the store when it is found full.
  private static final int READ_AHEAD_BYTES = 16 << 20;

  private final ExecutionLog log = new ExecutionLog(TASKS);

  @TempDir private Path dir;

  @Test
  void h12IntakeStopsAtTheBoundAndGoesOnAfterIt(KafkaView view) throws Exception {
    BrokerSetup setup =
        BrokerSetup.pull(dir, "full", view.bootstrap()).withStore("max_size: " + MAX_SIZE);
    view.createTopics(setup, 1);
    publish(view, setup);
    try (var broker = setup.start().awaitServing(PATIENCE)) {
      await().atMost(PATIENCE).until(() -> setup.rows() * TASK_BYTES > MAX_SIZE);
      await()
          .during(Duration.ofSeconds(1))
          .atMost(PATIENCE)
          .until(setup::rows, rows -> rows * TASK_BYTES < MAX_SIZE + READ_AHEAD_BYTES);
      assertThat(setup.rows()).isLessThan(TASKS);
      await()
          .untilAsserted(() ->
              assertThat(view.committed(setup).values()).singleElement().isEqualTo(setup.rows()));
      broker.awaitServing(PATIENCE);

      try (var worker =
          PullWorker.start(
              WorkerOptions.of(setup.address()).withConcurrency(10),
              BrokerSetup.APPLICATION,
              Behaviour.completing(Duration.ofMillis(10)),
              log)) {
        await().atMost(PATIENCE).until(() -> log.completedTasks() == TASKS);
        assertThat(worker.awaitIdle(PATIENCE)).isTrue();
      }
      for (int task = 0; task < TASKS; task++) {
        assertThat(log.starts(task)).as("runs of task %d", task).isOne();
      }
      await().until(() -> setup.rows() == 0);
      await().untilAsserted(() -> view.assertAllCommitted(setup));
      assertThat(Files.size(setup.store()))
          .as("size of the file")
          .isLessThan(MAX_SIZE + READ_AHEAD_BYTES);
      assertThat(broker.stop(Duration.ofSeconds(30))).isZero();
    }
  }

  private void publish(KafkaView view, BrokerSetup setup) {
    var template = new TaskTemplate(BrokerSetup.APPLICATION, "n", "t", TASK_BYTES, 1);
    try (var producer = new TaskProducer(view.bootstrap(), setup.topic(), log)) {
      for (int task = 0; task < TASKS; task++) {
        producer.send(task, template.task(task).build());
      }
      producer.flush();
    }
  }
}
