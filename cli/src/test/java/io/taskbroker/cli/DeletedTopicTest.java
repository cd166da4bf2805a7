package io.taskbroker.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.testkit.Behaviour.Run;
import io.taskbroker.testkit.BrokerProcess;
import io.taskbroker.testkit.ExecutionLog;
import io.taskbroker.testkit.PushWorker;
import io.taskbroker.testkit.TaskProducer;
import io.taskbroker.testkit.TaskTemplate;
import io.taskbroker.testkit.WorkerOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// A topic is deleted under load and recreated later, or at once with more records than before: the
/// new topic is read from its start, tasks in flight from the old one finish, the other topic is
/// not affected, and the process neither exits nor spins (G1, G8, H5).
@Timeout(240)
@ExtendWith(SharedKafka.class)
final class DeletedTopicTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int OLD = 200;
  private static final int FEW = 50;
  private static final int MANY = 400;
  private static final int OTHER = 100;
  private static final int TASKS = OLD + FEW + MANY + OTHER;

  private final ExecutionLog log = new ExecutionLog(TASKS);
  private final TaskTemplate template = new TaskTemplate(BrokerSetup.APPLICATION, "n", "t", 100, 1);
  private int published;

  @TempDir private Path dir;

  @Test
  void h05NewTopicOfAnOldNameIsReadFromItsStart(KafkaView view) throws Exception {
    BrokerSetup setup = BrokerSetup.pull(dir, "deleted", view.bootstrap());
    String other = "deleted-other";
    view.createTopics(setup, 1);
    view.createTopic(other, 1, Map.of());
    try (var worker =
        PushWorker.start(
            WorkerOptions.of(setup.address()).withConcurrency(TASKS),
            DeletedTopicTest::behave,
            log)) {
      setup
          .with("delivery_mode", "push")
          .with("worker_map", "{%s: \"%s\"}".formatted(BrokerSetup.APPLICATION, worker.url()))
          .with("kafka_retry_topic", setup.topic())
          .with(
              "kafka_topics",
              "{%s: {cluster: main, consumer_group: %s}, %s: {cluster: main, consumer_group: %s}, %s: {cluster: main, consumer_group: %s, produce_only: true}}"
                  .formatted(
                      setup.topic(),
                      setup.group(),
                      other,
                      setup.group(),
                      setup.deadLetters(),
                      setup.group()));
      publish(view, setup.topic(), OLD);
      try (BrokerProcess broker = setup.start().awaitServing(PATIENCE)) {
        await().atMost(PATIENCE).until(() -> log.starts() == OLD);
        assertThat(log.completedTasks()).as("completed tasks of the old topic").isLessThan(OLD);

        view.deleteTopic(setup.topic());
        publish(view, other, OTHER / 2);
        awaitDone(OLD, OLD + OTHER / 2);
        awaitIdleness(broker);
        view.createTopic(setup.topic(), 1, Map.of());
        publish(view, setup.topic(), FEW);
        awaitDone(OLD + OTHER / 2, published);

        view.deleteTopic(setup.topic());
        view.createTopic(setup.topic(), 1, Map.of());
        publish(view, setup.topic(), MANY);
        publish(view, other, OTHER / 2);
        awaitDone(0, TASKS);
        assertThat(worker.awaitIdle(PATIENCE)).isTrue();
        await().atMost(PATIENCE).until(() -> setup.rows() == 0);
        await()
            .atMost(PATIENCE)
            .untilAsserted(
                () -> assertThat(view.committedOf(setup, setup.topic())).isEqualTo((long) MANY));
        assertThat(broker.stop(Duration.ofSeconds(30))).isZero();
        assertThat(setup.output().stream().filter(line -> line.contains(" WARN ")))
            .as("warnings")
            .hasSizeLessThan(15);
      }
    }
  }

  /// An idle process uses little CPU.
  private static void awaitIdleness(BrokerProcess broker) {
    long before = cpuMillis(broker);
    long begin = System.nanoTime();
    await().during(Duration.ofSeconds(3)).atMost(Duration.ofSeconds(60)).until(broker::isAlive);
    long millis = (System.nanoTime() - begin) / 1_000_000;
    assertThat(cpuMillis(broker) - before).as("ms of CPU in %d ms", millis).isLessThan(millis / 2);
  }

  private static long cpuMillis(BrokerProcess broker) {
    return ProcessHandle.of(broker.pid())
        .flatMap(process -> process.info().totalCpuDuration())
        .orElse(Duration.ZERO)
        .toMillis();
  }

  private void awaitDone(int from, int to) {
    await()
        .alias("tasks %d to %d".formatted(from, to))
        .atMost(PATIENCE)
        .until(() ->
            IntStream.range(from, to)
                .allMatch(task -> log.completedAt(task) != ExecutionLog.NEVER));
  }

  private void publish(KafkaView view, String topic, int tasks) {
    try (var producer = new TaskProducer(view.bootstrap(), topic, log)) {
      for (int i = 0; i < tasks; i++) {
        producer.send(published, template.task(published).build());
        published++;
      }
      producer.flush();
    }
  }

  /// Tasks of the old topic are slow.
  private static Run behave(TaskActivation activation, int start) {
    return Run.completing(TaskTemplate.numberOf(activation) < OLD ? 3_000 : 10);
  }
}
