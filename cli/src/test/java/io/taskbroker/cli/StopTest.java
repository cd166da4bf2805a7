package io.taskbroker.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.testkit.Behaviour;
import io.taskbroker.testkit.BrokerProcess;
import io.taskbroker.testkit.ExecutionLog;
import io.taskbroker.testkit.PushWorker;
import io.taskbroker.testkit.TaskProducer;
import io.taskbroker.testkit.TaskTemplate;
import io.taskbroker.testkit.WorkerOptions;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// Start and stop of the real process under load (G9).
@Timeout(240)
@ExtendWith(SharedKafka.class)
final class StopTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Duration STOP_TIME = Duration.ofSeconds(10);
  private static final int TASKS = 3_000;
  private static final int PARTITIONS = 3;

  @TempDir private Path dir;
  private final ExecutionLog log = new ExecutionLog(TASKS);
  private @Nullable BrokerProcess broker;

  @AfterEach
  void killTheLastOne() {
    if (broker != null) {
      broker.close();
    }
  }

  @Test
  void h17NothingRunsTwiceWhenTheProcessIsStoppedAndStarted(KafkaView view) throws Exception {
    BrokerSetup setup = BrokerSetup.pull(dir, "stop", view.bootstrap());
    try (var worker = worker(setup)) {
      deliverTo(worker, setup).withStore("max_pending_count: 100, max_processing_count: 100");
      view.createTopics(setup, PARTITIONS);
      publish(view, setup);
      broker = setup.start();

      awaitCompleted(TASKS / 4);
      long term = System.nanoTime();
      assertThat(broker.stop(STOP_TIME)).as("exit code after SIGTERM").isZero();
      long terminated = System.nanoTime();
      assertEverythingAcceptedIsCommitted(view, setup);

      broker = broker.restart();
      awaitCompleted(TASKS / 2);
      assertThat(log.completedTasks()).as("when it is interrupted").isLessThan(TASKS);
      long interrupt = System.nanoTime();
      int code = broker.interrupt(STOP_TIME);
      assertThat(code).as("exit code after SIGINT").isZero();
      long interrupted = System.nanoTime();
      assertEverythingAcceptedIsCommitted(view, setup);

      // SIGTERM also stops a process that has just started.
      broker = broker.restart().awaitServing(PATIENCE);
      awaitCompleted(TASKS);
      assertThat(worker.awaitIdle(PATIENCE)).isTrue();
      await().until(() -> setup.rows() == 0);
      assertThat(broker.stop(STOP_TIME)).isZero();
      view.assertAllCommitted(setup);
      for (int task = 0; task < TASKS; task++) {
        assertThat(log.starts(task)).as("runs of task %d", task).isOne();
      }
      assertThat(setup.exitReasons()).as("exit reasons of graceful stops").isEmpty();
      System.out.printf(
          "Stopped under load by SIGTERM in %d ms, by SIGINT in %d ms%n",
          (terminated - term) / 1_000_000, (interrupted - interrupt) / 1_000_000);
    }
  }

  @Test
  void g9AStageThatFailsEndsTheProcessWithOneLine(KafkaView view) throws Exception {
    BrokerSetup setup = BrokerSetup.pull(dir, "fenced", view.bootstrap());
    try (var worker = worker(setup)) {
      deliverTo(worker, setup).withStore("max_pending_count: 100, max_processing_count: 100");
      view.createTopics(setup, 1);
      publish(view, setup);
      broker = setup.start();
      awaitCompleted(TASKS / 10);

      long begin = System.nanoTime();
      try (var other = setup.openStore();
          var statement = other.createStatement()) {
        statement.execute("PRAGMA busy_timeout = 5000");
        statement.executeUpdate("UPDATE writer SET epoch = epoch + 1");
      }
      await().atMost(PATIENCE).until(() -> !running().isAlive());

      assertThat(running().exitCode()).hasValue(1);
      assertThat(setup.exitReasons())
          .singleElement()
          .asString()
          .contains("store-committer", "Another broker took over " + setup.store().toRealPath());
      System.out.printf(
          "A broker that lost its store ended in %d ms%n", (System.nanoTime() - begin) / 1_000_000);
    }
  }

  @Test
  void theFirstDeliveryComesSoonAfterTheStart(KafkaView view) throws Exception {
    BrokerSetup setup = BrokerSetup.pull(dir, "first", view.bootstrap());
    try (var worker = worker(setup)) {
      deliverTo(worker, setup);
      view.createTopics(setup, 1);
      publish(view, setup);

      var first = new ExecutionLog(TASKS);
      first.published(0);
      broker = setup.start();
      await().atMost(PATIENCE).pollInterval(Duration.ofMillis(1)).until(() -> log.starts() > 0);
      first.published(1);

      long millis = (first.publishedAt(1) - first.publishedAt(0)) / 1_000_000;
      System.out.printf("First delivery %d ms after the process was started%n", millis);
      assertThat(millis).isLessThan(30_000);
    }
  }

  private PushWorker worker(BrokerSetup setup) {
    return PushWorker.start(
        WorkerOptions.of(setup.address()), Behaviour.completing(Duration.ofMillis(100)), log);
  }

  private static BrokerSetup deliverTo(PushWorker worker, BrokerSetup setup) {
    return setup
        .with("delivery_mode", "push")
        .with("worker_map", "{%s: \"%s\"}".formatted(BrokerSetup.APPLICATION, worker.url()));
  }

  private void publish(KafkaView view, BrokerSetup setup) {
    var template = new TaskTemplate(BrokerSetup.APPLICATION, "n", "t", 200, 1);
    try (var producer = new TaskProducer(view.bootstrap(), setup.topic(), log)) {
      for (int task = 0; task < TASKS; task++) {
        producer.send(task, template.task(task).build());
      }
      producer.flush();
    }
  }

  private BrokerProcess running() {
    if (broker == null) {
      throw new IllegalStateException("No broker was started");
    }
    return broker;
  }

  private void awaitCompleted(int tasks) {
    await()
        .alias(tasks + " tasks completed")
        .pollInterval(Duration.ofMillis(1))
        .atMost(PATIENCE)
        .until(() -> log.completedTasks() >= tasks);
  }

  /// Asserts that the broker left nothing for its successor to read again.
  private static void assertEverythingAcceptedIsCommitted(KafkaView view, BrokerSetup setup)
      throws Exception {
    Map<TopicPartition, Long> accepted = accepted(setup);
    assertThat(accepted).isNotEmpty();
    assertThat(view.committed(setup)).isEqualTo(accepted);
  }

  private static Map<TopicPartition, Long> accepted(BrokerSetup setup) throws SQLException {
    var accepted = new HashMap<TopicPartition, Long>();
    try (var connection = setup.openStore();
        var statement = connection.createStatement();
        var rows = statement.executeQuery("SELECT topic, partition_number, next FROM watermark")) {
      while (rows.next()) {
        accepted.put(new TopicPartition(rows.getString(1), rows.getInt(2)), rows.getLong(3));
      }
    }
    return accepted;
  }
}
