package io.taskbroker.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.testkit.Behaviour;
import io.taskbroker.testkit.ExecutionLog;
import io.taskbroker.testkit.Ports;
import io.taskbroker.testkit.PushWorker;
import io.taskbroker.testkit.TaskProducer;
import io.taskbroker.testkit.TaskTemplate;
import io.taskbroker.testkit.WorkerOptions;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// The worker of one application is down when the real process starts, and dies later: only that
/// application waits, and resumes soon after the worker is back (G8, W13).
@Timeout(240)
@ExtendWith(SharedKafka.class)
final class WorkerOutageTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Duration RUN_TIME = Duration.ofMillis(100);
  private static final String OTHER = "other";
  private static final int TASKS = 400;
  private static final int HALF = TASKS / 2;

  /// Tasks of [BrokerSetup#APPLICATION], whose worker is always up.
  private final ExecutionLog log = new ExecutionLog(TASKS);

  /// Tasks of [#OTHER].
  private final ExecutionLog otherLog = new ExecutionLog(TASKS);

  private final int otherPort = Ports.free();

  @TempDir private Path dir;

  @Test
  void g8OnlyTheApplicationWaitsWhoseWorkerIsDown(KafkaView view) throws Exception {
    BrokerSetup setup = BrokerSetup.pull(dir, "worker-outage", view.bootstrap());
    view.createTopics(setup, 2);
    try (var worker =
        PushWorker.start(WorkerOptions.of(setup.address()), Behaviour.completing(RUN_TIME), log)) {
      setup
          .with("delivery_mode", "push")
          .with(
              "worker_map",
              "{%s: \"%s\", %s: \"http://127.0.0.1:%d\"}"
                  .formatted(BrokerSetup.APPLICATION, worker.url(), OTHER, otherPort))
          .withStore("processing_deadline_grace_sec: 0");
      try (var broker = setup.start().awaitServing(PATIENCE)) {
        publish(view, setup, 0);
        await().atMost(PATIENCE).until(() -> log.completedTasks() == HALF);
        assertThat(otherLog.starts()).isZero();

        try (var _ = startOther(setup, "down at start")) {
          await().atMost(PATIENCE).until(() -> otherLog.completedTasks() > HALF / 4);
        }
        long atDeath = otherLog.starts();

        publish(view, setup, HALF);
        await().atMost(PATIENCE).until(() -> log.completedTasks() == TASKS);
        assertThat(otherLog.starts()).isEqualTo(atDeath);

        try (var other = startOther(setup, "killed")) {
          await().atMost(PATIENCE).until(() -> setup.rows() == 0);
          assertThat(other.awaitIdle(PATIENCE)).isTrue();
        }
        for (int task = 0; task < TASKS; task++) {
          assertThat(log.starts(task)).as("runs of unaffected task %d", task).isOne();
          assertThat(otherLog.finishes(task)).as("finishes of task %d", task).isPositive();
        }
        assertThat(broker.stop(Duration.ofSeconds(30))).isZero();
        assertThat(setup.output())
            .filteredOn(line -> line.contains("cannot reach the worker of application: " + OTHER))
            .isNotEmpty()
            .hasSizeLessThan(5);
      }
    }
  }

  /// Starts the other worker, and waits until it receives a task.
  private PushWorker startOther(BrokerSetup setup, String before) {
    long starts = otherLog.starts();
    long begin = System.nanoTime();
    var other =
        PushWorker.start(
            WorkerOptions.of(setup.address()).onPort(otherPort).withConcurrency(20),
            Behaviour.completing(RUN_TIME),
            otherLog);
    await()
        .atMost(PATIENCE)
        .pollInterval(Duration.ofMillis(1))
        .until(() -> otherLog.starts() > starts);
    long millis = (System.nanoTime() - begin) / 1_000_000;
    System.out.printf("A worker that was %s got tasks %d ms after its start%n", before, millis);
    assertThat(millis).isLessThan(20_000);
    return other;
  }

  private void publish(KafkaView view, BrokerSetup setup, int from) {
    var template = new TaskTemplate(BrokerSetup.APPLICATION, "n", "t", 100, 2L * from + 1);
    try (var producer = new TaskProducer(view.bootstrap(), setup.topic(), log);
        var otherProducer = new TaskProducer(view.bootstrap(), setup.topic(), otherLog)) {
      for (int task = from; task < from + HALF; task++) {
        producer.send(task, template.task(task).build());
        otherProducer.send(
            task,
            template.task(task).setApplication(OTHER).setProcessingDeadlineDuration(1).build());
      }
      producer.flush();
      otherProducer.flush();
    }
  }
}
