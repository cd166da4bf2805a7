package io.taskbroker.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.proto.v1.OnAttemptsExceeded;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.testkit.Behaviour;
import io.taskbroker.testkit.BrokerProcess;
import io.taskbroker.testkit.ExecutionLog;
import io.taskbroker.testkit.PullWorker;
import io.taskbroker.testkit.TaskProducer;
import io.taskbroker.testkit.TaskTemplate;
import io.taskbroker.testkit.WorkerOptions;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// The database of a stopped real process is damaged: the next start replaces it, reports that once
/// as an error, and the tasks in flight still run, from the readable rows and from Kafka (G1).
/// Tasks done long before do not run again, and at-most-once tasks are not delivered twice (G3).
@Timeout(240)
@ExtendWith(SharedKafka.class)
final class DamagedStoreTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int DONE = 200;
  private static final int TASKS = 500;

  /// Last digit of at-most-once tasks.
  private static final int ONCE = 3;

  private final List<BrokerProcess> processes = new ArrayList<>();

  @TempDir private Path dir;

  @AfterEach
  void endAll() {
    processes.forEach(BrokerProcess::close);
  }

  @Test
  void g1g3HalfOfTheFileIsNoise(KafkaView view) throws Exception {
    assertNothingIsLost(view, "half", DamagedStoreTest::overwriteHalf);
  }

  @Test
  void g1g3TheFileIsEmpty(KafkaView view) throws Exception {
    assertNothingIsLost(view, "empty", file -> Files.write(file, new byte[0]));
  }

  /// The loss is visible only by comparison with Kafka.
  @Test
  void g1TheLogIsGone(KafkaView view) throws Exception {
    assertNothingIsLost(view, "log", file -> Files.delete(logOf(file)));
  }

  /// Kafka does not show the loss of deliveries: no later record was committed.
  @Test
  void g3TheLogIsGoneThatHadWhatWasHandedOut(KafkaView view) throws Exception {
    Victim victim = victim(view, "marks", file -> Files.delete(logOf(file)));
    victim.runOnceAndKill(view);
    victim.damage();
    victim.assertNoneRunsAgain(view);
  }

  private void assertNothingIsLost(KafkaView view, String name, Damage damage) throws Exception {
    Victim victim = victim(view, name, damage);
    victim.fillAndKill(victim.start(), view);
    victim.damage();
    victim.assertAllRun(victim.start(), view);
  }

  private Victim victim(KafkaView view, String name, Damage damage) throws Exception {
    BrokerSetup setup =
        BrokerSetup.pull(dir.toRealPath(), "damaged-" + name, view.bootstrap())
            .withStore("max_processing_attempts: 3")
            .with("upkeep_deadline_reset_skip_after_startup_sec", "1");
    view.createTopics(setup, 2);
    return new Victim(setup, damage);
  }

  private static boolean isAtMostOnce(int task) {
    return task % 10 == ONCE;
  }

  private static Path logOf(Path file) {
    return Path.of(file + "-wal");
  }

  /// Overwrites every second page, except the first ones, which lead to all others.
  private static void overwriteHalf(Path file) throws IOException {
    for (long page = 4 * 4096; page < Files.size(file); page += 2 * 4096) {
      overwrite(file, page, 4096);
    }
  }

  private static void overwrite(Path file, long position, int length) throws IOException {
    byte[] noise = new byte[length];
    new Random(position).nextBytes(noise);
    try (var access = new RandomAccessFile(file.toFile(), "rw")) {
      access.seek(position);
      access.write(noise);
    }
  }

  /// A broker whose store is damaged.
  private final class Victim {
    private final BrokerSetup setup;
    private final Damage damage;
    private final ExecutionLog log = new ExecutionLog(TASKS);
    private final TaskTemplate template =
        new TaskTemplate(BrokerSetup.APPLICATION, "n", "t", 600, 1);

    Victim(BrokerSetup setup, Damage damage) {
      this.setup = setup;
      this.damage = damage;
    }

    BrokerProcess start() throws Exception {
      BrokerProcess broker = setup.start();
      processes.add(broker);
      return broker;
    }

    /// Kills the broker when some tasks are done, others wait, and all are committed.
    void fillAndKill(BrokerProcess broker, KafkaView view) throws Exception {
      publish(view, 0, DONE);
      broker.awaitServing(PATIENCE);
      try (var _ = worker()) {
        await().atMost(PATIENCE).until(() -> log.completedTasks() == DONE);
        await().atMost(PATIENCE).until(() -> setup.rows() == 0);
      }
      await().atMost(PATIENCE).untilAsserted(() -> view.assertAllCommitted(setup));
      publish(view, DONE, TASKS - 50);
      await().atMost(PATIENCE).until(setup::rows, rows -> rows == TASKS - 50 - DONE);
      await().atMost(PATIENCE).untilAsserted(() -> view.assertAllCommitted(setup));
      broker.kill();
    }

    void damage() throws Exception {
      if (!isAboutTheLog()) {
        // The last connection to close a database would move its log into it.
        assertThat(setup.rows()).isPositive();
      }
      damage.to(setup.store());
    }

    void assertAllRun(BrokerProcess broker, KafkaView view) throws Exception {
      broker.awaitServing(PATIENCE);
      publish(view, TASKS - 50, TASKS);
      var dead = new TreeSet<Integer>();
      try (var worker = worker()) {
        await()
            .alias(setup.topic())
            .atMost(PATIENCE)
            .untilAsserted(() -> {
              dead.addAll(view.deadTasks(setup));
              assertThat(log.incomplete()).isSubsetOf(dead);
            });
        // Only while the worker is there: what was done before the damage may run again.
        await().atMost(PATIENCE).until(() -> setup.rows() == 0);
        assertThat(worker.awaitIdle(PATIENCE)).isTrue();
      }
      await().atMost(PATIENCE).untilAsserted(() -> view.assertAllCommitted(setup));
      for (int task = 0; task < TASKS; task++) {
        if (isAtMostOnce(task)) {
          assertThat(log.starts(task)).as("runs of task %d", task).isLessThanOrEqualTo(1);
        } else {
          assertThat(log.starts(task)).as("runs of task %d", task).isPositive();
        }
      }
      assertThat(dead).as(setup.topic()).allMatch(DamagedStoreTest::isAtMostOnce);
      assertThat(broker.stop(Duration.ofSeconds(30))).isZero();
      assertThat(
              setup.output().stream()
                  .filter(line -> line.contains(" ERROR "))
                  .filter(line -> !line.contains("The store has lost what it had of"))
                  .toList())
          .as(setup.topic())
          .singleElement()
          .satisfies(line -> {
            if (isAboutTheLog()) {
              assertThat(line)
                  .contains("lost its latest transactions", "log was removed or truncated");
            } else {
              assertThat(line).contains("is damaged: ", "was renamed to ", ".corrupt-");
            }
          });
    }

    private boolean isAboutTheLog() {
      return setup.topic().contains("log") || setup.topic().contains("marks");
    }

    /// At-most-once tasks are stored by one process and delivered by the next.
    void runOnceAndKill(KafkaView view) throws Exception {
      BrokerProcess first = start();
      first.awaitServing(PATIENCE);
      publish(view, IntStream.range(0, TASKS).filter(DamagedStoreTest::isAtMostOnce));
      await()
          .atMost(PATIENCE)
          .until(
              () -> setup.inStore("SELECT count(*) FROM activation WHERE committed = 1"),
              proven -> proven == TASKS / 10);
      assertThat(first.stop(Duration.ofSeconds(30))).isZero();
      BrokerProcess second = start();
      second.awaitServing(PATIENCE);
      try (var _ = worker()) {
        await().atMost(PATIENCE).until(() -> log.completedTasks() == TASKS / 10);
        await().atMost(PATIENCE).until(() -> setup.rows() == 0);
      }
      second.kill();
    }

    void assertNoneRunsAgain(KafkaView view) throws Exception {
      BrokerProcess third = start();
      third.awaitServing(PATIENCE);
      try (var _ = worker()) {
        await().atMost(PATIENCE).until(() -> setup.rows() == 0);
      }
      for (int task = ONCE; task < TASKS; task += 10) {
        assertThat(log.starts(task)).as("runs of task %d", task).isEqualTo(1);
      }
      assertThat(view.read(setup.deadLetters())).hasSize(TASKS / 10);
      assertThat(third.stop(Duration.ofSeconds(30))).isZero();
    }

    private PullWorker worker() {
      return PullWorker.start(
          WorkerOptions.of(setup.address()).withConcurrency(20),
          BrokerSetup.APPLICATION,
          Behaviour.completing(Duration.ofMillis(1)),
          log);
    }

    private void publish(KafkaView view, int from, int to) {
      publish(view, IntStream.range(from, to));
    }

    private void publish(KafkaView view, IntStream tasks) {
      try (var producer = new TaskProducer(view.bootstrap(), setup.topic(), log)) {
        for (int task : tasks.toArray()) {
          TaskActivation.Builder activation = template.task(task);
          if (isAtMostOnce(task)) {
            activation
                .getRetryStateBuilder()
                .setAtMostOnce(true)
                .setOnAttemptsExceeded(OnAttemptsExceeded.ON_ATTEMPTS_EXCEEDED_DEADLETTER);
          }
          producer.send(task, activation.build());
        }
        producer.flush();
      }
    }
  }

  private interface Damage {
    void to(Path file) throws IOException;
  }
}
