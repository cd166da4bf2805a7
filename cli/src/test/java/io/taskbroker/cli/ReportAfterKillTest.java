package io.taskbroker.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.proto.v1.ConsumerServiceGrpc;
import io.taskbroker.proto.v1.GetTaskRequest;
import io.taskbroker.proto.v1.GetTaskResponse;
import io.taskbroker.proto.v1.SetTaskStatusRequest;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.proto.v1.TaskActivationStatus;
import io.taskbroker.testkit.Behaviour;
import io.taskbroker.testkit.BrokerProcess;
import io.taskbroker.testkit.ExecutionLog;
import io.taskbroker.testkit.PostgresServer;
import io.taskbroker.testkit.PostgresServer.Database;
import io.taskbroker.testkit.PushWorker;
import io.taskbroker.testkit.TaskTemplate;
import io.taskbroker.testkit.WorkerOptions;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The real process is killed right after deliveries, before they are on disk: reports to the next
/// process take effect, whatever they are (G2). Nobody takes tasks from that process, so that the
/// test does not depend on timing.
@Timeout(240)
@ExtendWith(SharedKafka.class)
final class ReportAfterKillTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final List<TaskActivationStatus> STATUSES =
      List.of(
          TaskActivationStatus.TASK_ACTIVATION_STATUS_COMPLETE,
          TaskActivationStatus.TASK_ACTIVATION_STATUS_FAILURE,
          TaskActivationStatus.TASK_ACTIVATION_STATUS_RETRY);

  private final TaskTemplate template = new TaskTemplate(BrokerSetup.APPLICATION, "n", "t", 100, 1);
  private final ExecutionLog log = new ExecutionLog(STATUSES.size());
  private final List<String> ids = new ArrayList<>();

  @TempDir private Path dir;

  private interface Rows {
    Connection open() throws SQLException;
  }

  @ParameterizedTest
  @CsvSource({"pull, sqlite", "push, sqlite", "pull, postgres", "push, postgres"})
  @SuppressWarnings("try") // the worker ends before the broker comes back
  void g2ReportsOfDeliveriesOfTheKilledProcessTakeEffect(String mode, String store, KafkaView view)
      throws Exception {
    try (var worker =
        PushWorker.start(
            WorkerOptions.of("127.0.0.1:1").withConcurrency(10),
            (_, _) -> Behaviour.Run.silent(3_600_000),
            log)) {
      String name = "killed-" + mode + "-" + store;
      BrokerSetup setup =
          mode.equals("pull")
              ? BrokerSetup.pull(dir, name, view.bootstrap())
              : BrokerSetup.push(dir, name, view.bootstrap(), worker.url());
      Rows rows = setup::openStore;
      if (store.equals("postgres")) {
        Database database = PostgresServer.shared().newDatabase();
        setup.with("store", "{adapter: postgres, pg: %s}".formatted(pg(database)));
        rows = database::connect;
      }
      view.createTopics(setup, 1);
      try (var first = setup.start().awaitServing(PATIENCE)) {
        publish(view, setup);
        if (mode.equals("pull")) {
          pullAll(setup);
        } else {
          await().atMost(PATIENCE).until(() -> log.starts() == STATUSES.size());
        }
        first.kill();
        worker.close();
        try (BrokerProcess second = first.restart().awaitServing(PATIENCE)) {
          reportAll(setup);
          assertEffects(view, setup, rows);
          assertThat(second.isAlive()).isTrue();
        }
      }
    }
  }

  private void publish(KafkaView view, BrokerSetup setup) throws Exception {
    for (int task = 0; task < STATUSES.size(); task++) {
      TaskActivation activation =
          template.deadLettered(task, 3).setProcessingDeadlineDuration(3_600).build();
      ids.add(activation.getId());
      view.publish(setup.topic(), activation.toByteArray());
    }
  }

  private void pullAll(BrokerSetup setup) {
    try (var calls = new RawCalls(setup)) {
      var taken = new ArrayList<String>();
      await()
          .pollInterval(Duration.ofMillis(5))
          .atMost(PATIENCE)
          .until(() -> {
            var answer =
                calls.call(
                    ConsumerServiceGrpc.getGetTaskMethod(),
                    GetTaskRequest.getDefaultInstance().toByteArray(),
                    null);
            if (answer.code() == io.grpc.Status.Code.OK) {
              byte[] bytes = HexFormat.of().parseHex(answer.text());
              taken.add(GetTaskResponse.parseFrom(bytes).getTask().getId());
            }
            return taken.size() == STATUSES.size();
          });
      assertThat(taken).containsExactlyElementsOf(ids);
    }
  }

  private void reportAll(BrokerSetup setup) {
    try (var calls = new RawCalls(setup)) {
      for (int task = 0; task < STATUSES.size(); task++) {
        byte[] request =
            SetTaskStatusRequest.newBuilder()
                .setId(ids.get(task))
                .setStatus(STATUSES.get(task))
                .build()
                .toByteArray();
        await()
            .alias(STATUSES.get(task) + " is answered")
            .atMost(PATIENCE)
            .until(() ->
                calls.call(ConsumerServiceGrpc.getSetTaskStatusMethod(), request, null).code()
                    == io.grpc.Status.Code.OK);
      }
    }
  }

  /// Asserts that no task is left, one is a dead letter, and one continues as a retry.
  private void assertEffects(KafkaView view, BrokerSetup setup, Rows rows) throws Exception {
    await().atMost(PATIENCE).untilAsserted(() -> assertThat(left(rows)).isZero());
    await().atMost(PATIENCE).until(() -> view.published(setup.deadLetters()) == 1);
    var letter = TaskActivation.parseFrom(view.read(setup.deadLetters()).getFirst().value());
    assertThat(letter.getId()).isEqualTo(ids.get(1));
    await().atMost(PATIENCE).until(() -> view.published(setup.topic()) == ids.size() + 1);
    var retry = TaskActivation.parseFrom(view.read(setup.topic()).getLast().value());
    assertThat(TaskTemplate.numberOf(retry)).isEqualTo(2);
    assertThat(retry.getRetryState().getAttempts()).isOne();
  }

  /// Number of published tasks that have rows.
  private long left(Rows rows) throws SQLException {
    try (Connection connection = rows.open();
        var statement = connection.createStatement();
        var result =
            statement.executeQuery(
                "SELECT count(*) FROM inflight_taskactivations WHERE id IN ('%s')"
                    .formatted(String.join("', '", ids)))) {
      result.next();
      return result.getLong(1);
    }
  }

  private static String pg(Database database) {
    return "{host: %s, port: %d, username: %s, password: %s, database_name: %s, run_migrations: true}"
        .formatted(
            database.host(),
            database.port(),
            database.username(),
            database.password(),
            database.name());
  }
}
