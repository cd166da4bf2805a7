package io.taskbroker.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.testkit.Behaviour;
import io.taskbroker.testkit.ExecutionLog;
import io.taskbroker.testkit.PullWorker;
import io.taskbroker.testkit.TaskProducer;
import io.taskbroker.testkit.TaskTemplate;
import io.taskbroker.testkit.WorkerOptions;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// A process with a small heap, and limits that allow more tiny tasks than fit: it accepts what
/// fits and goes on, also after a restart (G7, H13).
@Timeout(240)
@ExtendWith(SharedKafka.class)
final class SmallHeapTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int TASKS = 60_000;
  private static final int LIVE = 200;
  private static final int FIRST = 2_000;
  private static final String AWAY = "away";
  private static final String PARKED =
      "SELECT count(*) FROM activation WHERE parked_until IS NOT NULL";

  private final ExecutionLog live = new ExecutionLog(LIVE);
  private final ExecutionLog away = new ExecutionLog(TASKS);

  @TempDir private Path dir;

  @Test
  void g7TinyTasksWithoutAWorkerDoNotFillTheHeap(KafkaView view) throws Exception {
    BrokerSetup setup =
        BrokerSetup.pull(dir, "small-heap", view.bootstrap())
            .withStore("max_pending_count: 1000000, max_delay_count: 1000000")
            .withJvmOption("-Xmx48m");
    view.createTopics(setup, 1);
    publish(view, setup);
    try (var broker = setup.start().awaitServing(PATIENCE)) {
      try (var worker = worker(setup, BrokerSetup.APPLICATION, live)) {
        await().atMost(PATIENCE).until(() -> live.completedTasks() == LIVE);
        assertThat(worker.awaitIdle(PATIENCE)).isTrue();
      }
      await().atMost(PATIENCE).untilAsserted(() -> view.assertAllCommitted(setup));
      assertThat(setup.rows()).isEqualTo(TASKS);
      long parked = setup.inStore(PARKED);
      assertThat(parked).isBetween(TASKS / 2L, TASKS - 5_000L);
      assertThat(broker.stop(Duration.ofSeconds(30))).isZero();
    }
    try (var broker = setup.start().awaitServing(PATIENCE);
        var _ = worker(setup, AWAY, away)) {
      await().atMost(PATIENCE).until(() -> away.completedTasks() >= FIRST);
      assertThat(broker.isAlive()).isTrue();
    }
    for (int task = 0; task < FIRST; task++) {
      assertThat(away.starts(task)).as("runs of task %d", task).isOne();
    }
  }

  private static PullWorker worker(BrokerSetup setup, String application, ExecutionLog log) {
    return PullWorker.start(
        WorkerOptions.of(setup.address()).withConcurrency(20),
        application,
        Behaviour.completing(Duration.ofMillis(1)),
        log);
  }

  private void publish(KafkaView view, BrokerSetup setup) {
    var tiny = new TaskTemplate(AWAY, "n", "t", 1, 1);
    var wanted = new TaskTemplate(BrokerSetup.APPLICATION, "n", "t", 1, 2);
    try (var producer = new TaskProducer(view.bootstrap(), setup.topic(), live)) {
      for (int task = 0; task < TASKS; task++) {
        producer.send(tiny.task(task).build().toByteArray());
      }
      for (int task = 0; task < LIVE; task++) {
        producer.send(task, wanted.task(task).build());
      }
      producer.flush();
    }
  }
}
