package io.taskbroker.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.proto.v1.ConsumerServiceGrpc;
import io.taskbroker.proto.v1.GetTaskRequest;
import io.taskbroker.testkit.Behaviour;
import io.taskbroker.testkit.ExecutionLog;
import io.taskbroker.testkit.PostgresServer;
import io.taskbroker.testkit.PostgresServer.Database;
import io.taskbroker.testkit.PullWorker;
import io.taskbroker.testkit.TaskTemplate;
import io.taskbroker.testkit.WorkerOptions;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// A broker is frozen (SIGSTOP) until another one owns its partition and has done all of its tasks:
/// when it continues with all of them in memory, it delivers none (H11).
@Timeout(300)
@ExtendWith(SharedKafka.class)
final class FrozenBrokerTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int TASKS = 300;
  private static final int CLAIMS = 200;

  @TempDir private Path dir;

  @Test
  void h11BrokerThatWakesUpHandsOutNothingOfWhatItLost(KafkaView view) throws Exception {
    Database database = PostgresServer.shared().newDatabase();
    BrokerSetup frozen = setup("frozen", view, database);
    BrokerSetup other = setup("other", view, database);
    view.createTopics(frozen, 1);
    var log = new ExecutionLog(TASKS);
    try (var first = frozen.start().awaitServing(PATIENCE)) {
      var template = new TaskTemplate(BrokerSetup.APPLICATION, "n", "t", 100, 1);
      for (int task = 0; task < TASKS; task++) {
        view.publish(frozen.topic(), template.task(task).build().toByteArray());
      }
      await().atMost(PATIENCE).until(() -> rows(database) == TASKS);
      first.freeze();
      try (var second = other.start().awaitServing(PATIENCE);
          var worker =
              PullWorker.start(
                  WorkerOptions.of(other.address()).withConcurrency(20),
                  BrokerSetup.APPLICATION,
                  Behaviour.completing(Duration.ofMillis(1)),
                  log)) {
        await().atMost(PATIENCE).until(() -> log.completedTasks() == TASKS && rows(database) == 0);
        assertThat(worker.awaitIdle(PATIENCE)).isTrue();
        first.thaw();
        assertNothingIsToBeHad(frozen);
        assertThat(second.isAlive()).isTrue();
      }
    }
  }

  /// Claims longer than the renewal period of the lease, two seconds.
  private static void assertNothingIsToBeHad(BrokerSetup frozen) throws InterruptedException {
    try (var calls = new RawCalls(frozen)) {
      int answered = 0;
      long end = System.nanoTime() + Duration.ofSeconds(5).toNanos();
      while (answered < CLAIMS || System.nanoTime() < end) {
        var answer =
            calls.call(
                ConsumerServiceGrpc.getGetTaskMethod(),
                GetTaskRequest.getDefaultInstance().toByteArray(),
                null);
        assertThat(answer.code()).as(answer.text()).isNotEqualTo(io.grpc.Status.Code.OK);
        answered++;
      }
    }
  }

  private BrokerSetup setup(String name, KafkaView view, Database database) throws Exception {
    String topics =
        "{frozen-tasks: {cluster: main, consumer_group: frozen-workers},"
            + " frozen-dead-letters: {cluster: main, consumer_group: frozen-workers,"
            + " produce_only: true}}";
    String pg =
        "{host: %s, port: %d, username: %s, password: %s, database_name: %s, run_migrations: true}"
            .formatted(
                database.host(),
                database.port(),
                database.username(),
                database.password(),
                database.name());
    return BrokerSetup.pull(dir, name, view.bootstrap())
        .with("kafka_topics", topics)
        .with("kafka_deadletter_topic", "frozen-dead-letters")
        .with("kafka_session_timeout_ms", "6000")
        .with("store", "{adapter: postgres, pg: %s}".formatted(pg));
  }

  private static long rows(Database database) throws SQLException {
    try (var connection = database.connect();
        var statement = connection.createStatement();
        var result = statement.executeQuery("SELECT count(*) FROM inflight_taskactivations")) {
      result.next();
      return result.getLong(1);
    }
  }
}
