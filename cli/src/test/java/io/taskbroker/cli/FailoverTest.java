package io.taskbroker.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.proto.v1.OnAttemptsExceeded;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.testkit.Behaviour;
import io.taskbroker.testkit.BrokerProcess;
import io.taskbroker.testkit.ExecutionLog;
import io.taskbroker.testkit.PostgresServer;
import io.taskbroker.testkit.PullWorker;
import io.taskbroker.testkit.TaskProducer;
import io.taskbroker.testkit.TaskTemplate;
import io.taskbroker.testkit.WorkerOptions;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.TreeSet;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A real process on a real Postgres that comes back without the last acknowledged transactions,
/// like a lagging standby (docs/adr/0012): no task is lost, and no at-most-once task runs twice.
@Timeout(300)
@ExtendWith(SharedKafka.class)
final class FailoverTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /// Tasks that the standby has.
  private static final int REPLICATED = 100;

  /// Tasks done before the primary fails; others wait then.
  private static final int DONE = 200;

  private static final int STORED = 300;
  private static final int TASKS = 320;

  /// Last digit of at-most-once tasks.
  private static final int ONCE = 3;

  @TempDir private Path dir;
  private final ExecutionLog log = new ExecutionLog(TASKS);
  private final TaskTemplate template = new TaskTemplate(BrokerSetup.APPLICATION, "n", "t", 600, 1);

  @ParameterizedTest(name = "the broker is started again: {0}")
  @ValueSource(booleans = {false, true})
  void g1g3AStandbyWithoutTheLastTransactionsTakesOver(boolean restarted, KafkaView view)
      throws Exception {
    try (var server = PostgresServer.start(Map.of("max_connections", "50"))) {
      PostgresServer.Database database = server.newDatabase();
      BrokerSetup setup = setup(view, database, "failover-" + restarted);
      view.createTopics(setup, 2);
      BrokerProcess broker = setup.start();
      try {
        broker.awaitServing(PATIENCE);
        publish(view, setup, 0, REPLICATED);
        work(setup, REPLICATED);
        await().atMost(PATIENCE).until(() -> rows(database) == 0);
        Path standby = dir.resolve("standby");
        server.stop();
        server.rewind(standby);
        server.startAgain();

        publish(view, setup, REPLICATED, DONE);
        work(setup, DONE);
        publish(view, setup, DONE, STORED);
        await().atMost(PATIENCE).until(() -> rows(database) == STORED - DONE);
        await().atMost(PATIENCE).untilAsserted(() -> view.assertAllCommitted(setup));
        if (restarted) {
          broker.kill();
        }
        server.stop();
        server.rewind(standby);
        server.startAgain();
        if (restarted) {
          broker = setup.start();
        }
        broker.awaitServing(PATIENCE);
        publish(view, setup, STORED, TASKS);

        var dead = new TreeSet<Integer>();
        try (var _ = worker(setup)) {
          await()
              .atMost(PATIENCE)
              .untilAsserted(() -> {
                dead.addAll(view.deadTasks(setup));
                assertThat(log.incomplete()).isSubsetOf(dead);
              });
          // Only while the worker is there: what was done before the failover may run again.
          await().atMost(PATIENCE).until(() -> rows(database) == 0);
        }
        for (int task = 0; task < TASKS; task++) {
          if (task % 10 == ONCE) {
            assertThat(log.starts(task)).as("runs of task %d", task).isLessThanOrEqualTo(1);
          } else {
            assertThat(log.starts(task)).as("runs of task %d", task).isPositive();
          }
        }
        assertThat(dead).allMatch(task -> task % 10 == ONCE && task >= REPLICATED);
        assertThat(setup.output())
            .anyMatch(line -> line.contains("went back in time") && line.contains(" ERROR "))
            .anyMatch(line -> line.contains("The store has lost what it had of"));
        assertThat(broker.stop(Duration.ofSeconds(30))).isZero();
      } finally {
        broker.close();
      }
    }
  }

  private BrokerSetup setup(KafkaView view, PostgresServer.Database database, String name)
      throws Exception {
    return BrokerSetup.pull(dir.toRealPath(), name, view.bootstrap())
        .with("upkeep_deadline_reset_skip_after_startup_sec", "1")
        .with(
            "store",
            """
            {adapter: postgres, sqlite: {path: "%s"}, pg: {host: "%s", port: %d, \
            database_name: %s, username: %s, password: %s, run_migrations: true}}\
            """
                .formatted(
                    dir.resolve(name + ".sqlite"),
                    database.host(),
                    database.port(),
                    database.name(),
                    database.username(),
                    database.password()));
  }

  private void work(BrokerSetup setup, int tasks) throws InterruptedException {
    try (var worker = worker(setup)) {
      await().atMost(PATIENCE).until(() -> log.completedTasks() == tasks);
      assertThat(worker.awaitIdle(PATIENCE)).isTrue();
    }
  }

  private PullWorker worker(BrokerSetup setup) {
    return PullWorker.start(
        WorkerOptions.of(setup.address()).withConcurrency(10),
        BrokerSetup.APPLICATION,
        Behaviour.completing(Duration.ofMillis(1)),
        log);
  }

  private void publish(KafkaView view, BrokerSetup setup, int from, int to) {
    try (var producer = new TaskProducer(view.bootstrap(), setup.topic(), log)) {
      for (int task = from; task < to; task++) {
        TaskActivation.Builder activation = template.task(task);
        if (task % 10 == ONCE) {
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

  private static long rows(PostgresServer.Database database) throws SQLException {
    try (var connection = database.connect();
        var statement = connection.createStatement();
        var result = statement.executeQuery("SELECT count(*) FROM inflight_taskactivations")) {
      result.next();
      return result.getLong(1);
    }
  }
}
