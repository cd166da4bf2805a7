package io.taskbroker.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.proto.v1.OnAttemptsExceeded;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.testkit.Behaviour;
import io.taskbroker.testkit.BrokerProcess;
import io.taskbroker.testkit.ExecutionLog;
import io.taskbroker.testkit.Folders;
import io.taskbroker.testkit.PullWorker;
import io.taskbroker.testkit.TaskProducer;
import io.taskbroker.testkit.TaskTemplate;
import io.taskbroker.testkit.WorkerOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The database folder of a real process is copied as a whole, with its log and lock, like a volume
/// snapshot (docs/adr/0012).
@Timeout(240)
@ExtendWith(SharedKafka.class)
final class SnapshotTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int TASKS = 50;

  private final List<BrokerProcess> processes = new ArrayList<>();
  private final ExecutionLog log = new ExecutionLog(2 * TASKS);
  private final TaskTemplate template = new TaskTemplate(BrokerSetup.APPLICATION, "n", "t", 600, 1);

  @TempDir private Path dir;

  @AfterEach
  void endAll() {
    processes.forEach(BrokerProcess::close);
  }

  /// No record followed the snapshot: only the metadata of the committed offsets shows the loss.
  @Test
  void g3ASnapshotThatIsPutBackRunsNothingTwiceThatMayRunOnce(KafkaView view) throws Exception {
    BrokerSetup setup = setup(view, dir.toRealPath(), "snapshot");
    view.createTopics(setup, 2);
    BrokerProcess first = start(setup);
    publishOnce(view, setup, 0, TASKS);
    awaitProven(setup, TASKS);
    assertThat(first.stop(Duration.ofSeconds(30))).isZero();
    Path folder = folderOf(setup);
    Path snapshot = dir.resolve("kept");
    Folders.copy(folder, snapshot);

    BrokerProcess second = start(setup);
    try (var worker = worker(setup)) {
      await().atMost(PATIENCE).until(() -> log.completedTasks() == TASKS);
      assertThat(worker.awaitIdle(PATIENCE)).isTrue();
    }
    await().atMost(PATIENCE).until(() -> setup.rows() == 0);
    assertThat(second.stop(Duration.ofSeconds(30))).isZero();
    Folders.delete(folder);
    Folders.copy(snapshot, folder);

    BrokerProcess third = start(setup);
    publishOnce(view, setup, TASKS, 2 * TASKS);
    try (var _ = worker(setup)) {
      await().atMost(PATIENCE).until(() -> log.completedTasks() == 2 * TASKS);
      await().atMost(PATIENCE).until(() -> setup.rows() == 0);
    }
    for (int task = 0; task < 2 * TASKS; task++) {
      assertThat(log.starts(task)).as("runs of task %d", task).isEqualTo(1);
    }
    assertThat(view.read(setup.deadLetters())).hasSize(TASKS);
    assertThat(setup.output())
        .filteredOn(line -> line.contains("went back in time"))
        .singleElement()
        .asString()
        .contains(" ERROR ", "50 at-most-once tasks");
    assertThat(third.stop(Duration.ofSeconds(30))).isZero();
  }

  @ParameterizedTest(name = "copied with tasks: {0}")
  @ValueSource(booleans = {true, false})
  void h23ACopyOfAStoreInUseEndsItsBrokerAndDisturbsNobody(boolean withTasks, KafkaView view)
      throws Exception {
    String name = "cloned-" + withTasks;
    BrokerSetup setup = setup(view, dir.toRealPath(), name);
    view.createTopics(setup, 2);
    BrokerProcess original = start(setup);
    if (withTasks) {
      publishOnce(view, setup, 0, TASKS);
      awaitProven(setup, TASKS);
    }
    assertThat(original.stop(Duration.ofSeconds(30))).isZero();
    Path elsewhere = dir.toRealPath().resolve("elsewhere");
    BrokerSetup clone = setup(view, elsewhere, name);
    Folders.delete(folderOf(clone));
    Folders.copy(folderOf(setup), folderOf(clone));

    original = start(setup);
    if (!withTasks) {
      publishOnce(view, setup, 0, TASKS);
    }
    try (var worker = worker(setup)) {
      await().atMost(PATIENCE).until(() -> log.completedTasks() == TASKS);
      assertThat(worker.awaitIdle(PATIENCE)).isTrue();
    }
    await().atMost(PATIENCE).until(() -> setup.rows() == 0);
    await().atMost(PATIENCE).untilAsserted(() -> view.assertAllCommitted(setup));
    BrokerProcess copy = clone.start();
    processes.add(copy);
    await().atMost(PATIENCE).until(() -> !copy.isAlive());
    assertThat(copy.exitCode()).hasValue(1);
    assertThat(clone.exitReasons())
        .filteredOn(line -> line.contains("is a copy of one that another broker is using"))
        .hasSize(1);

    publishOnce(view, setup, TASKS, 2 * TASKS);
    try (var _ = worker(setup)) {
      await().atMost(PATIENCE).until(() -> log.completedTasks() == 2 * TASKS);
    }
    assertThat(original.isAlive()).isTrue();
    assertThat(original.stop(Duration.ofSeconds(30))).isZero();
    for (int task = 0; task < 2 * TASKS; task++) {
      assertThat(log.starts(task)).as("runs of task %d", task).isEqualTo(1);
    }
  }

  private static BrokerSetup setup(KafkaView view, Path dir, String name) throws Exception {
    return BrokerSetup.pull(dir, name, view.bootstrap())
        .with("upkeep_deadline_reset_skip_after_startup_sec", "1")
        .with("kafka_session_timeout_ms", "6000");
  }

  private static Path folderOf(BrokerSetup setup) {
    return Objects.requireNonNull(setup.store().getParent());
  }

  private BrokerProcess start(BrokerSetup setup) throws Exception {
    BrokerProcess broker = setup.start();
    processes.add(broker);
    return broker.awaitServing(PATIENCE);
  }

  private static void awaitProven(BrokerSetup setup, long tasks) {
    await()
        .atMost(PATIENCE)
        .until(
            () -> setup.inStore("SELECT count(*) FROM activation WHERE committed = 1"),
            proven -> proven == tasks);
  }

  private PullWorker worker(BrokerSetup setup) {
    return PullWorker.start(
        WorkerOptions.of(setup.address()).withConcurrency(10),
        BrokerSetup.APPLICATION,
        Behaviour.completing(Duration.ofMillis(1)),
        log);
  }

  private void publishOnce(KafkaView view, BrokerSetup setup, int from, int to) {
    try (var producer = new TaskProducer(view.bootstrap(), setup.topic(), log)) {
      for (int task = from; task < to; task++) {
        TaskActivation.Builder activation = template.task(task);
        activation
            .getRetryStateBuilder()
            .setAtMostOnce(true)
            .setOnAttemptsExceeded(OnAttemptsExceeded.ON_ATTEMPTS_EXCEEDED_DEADLETTER);
        producer.send(task, activation.build());
      }
      producer.flush();
    }
  }
}
