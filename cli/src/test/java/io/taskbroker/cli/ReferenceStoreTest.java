package io.taskbroker.cli;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.proto.v1.ConsumerServiceGrpc;
import io.taskbroker.proto.v1.OnAttemptsExceeded;
import io.taskbroker.proto.v1.SetTaskStatusRequest;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.proto.v1.TaskActivationStatus;
import io.taskbroker.testkit.Behaviour.Run;
import io.taskbroker.testkit.ExecutionLog;
import io.taskbroker.testkit.PullWorker;
import io.taskbroker.testkit.ReferenceTable;
import io.taskbroker.testkit.TaskTemplate;
import io.taskbroker.testkit.WorkerOptions;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// The real process continues with the file of a reference broker that has rows in every status
/// (reference-spec 4.2, 5; H9, H16).
@Timeout(240)
@ExtendWith(SharedKafka.class)
final class ReferenceStoreTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /// Schema after the reference's last migration.
  private static final List<String> SCHEMA =
      List.of(
          """
          CREATE TABLE _sqlx_migrations (
            version BIGINT PRIMARY KEY,
            description TEXT NOT NULL,
            installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
            success BOOLEAN NOT NULL,
            checksum BLOB NOT NULL,
            execution_time BIGINT NOT NULL
          )
          """,
          "INSERT INTO _sqlx_migrations VALUES (6, 'claim', CURRENT_TIMESTAMP, 1, x'00', 1)",
          ReferenceTable.SQL,
          """
          CREATE INDEX idx_pending_activation
          ON inflight_taskactivations (status, added_at, namespace, id)
          """);

  /// Outcome of a row.
  private enum Fate {
    RUNS,
    RETRIED,
    DEAD_LETTER,
    GONE,
    KEPT
  }

  /// A row of the reference; its number is its index in the list.
  private record Old(String status, Fate fate, Map<String, Object> columns) {}

  private final long now = Instant.now().getEpochSecond();
  private final long delayEnds = now + 8;
  private final List<Old> rows =
      List.of(
          new Old("Pending", Fate.RUNS, Map.of()),
          new Old("Pending", Fate.RUNS, Map.of("expires_at", now + 3600)),
          new Old("Pending", Fate.GONE, Map.of("expires_at", now - 5)),
          new Old(
              "Pending",
              Fate.DEAD_LETTER,
              Map.of("processing_attempts", 5, "on_attempts_exceeded", 2)),
          new Old("Pending", Fate.RUNS, Map.of("at_most_once", 1)),
          new Old("Claimed", Fate.RUNS, Map.of("claim_expires_at", now + 60)),
          new Old("Claimed", Fate.RUNS, Map.of("claim_expires_at", now - 60)),
          new Old(
              "Claimed",
              Fate.DEAD_LETTER,
              Map.of("claim_expires_at", now - 60, "at_most_once", 1, "on_attempts_exceeded", 2)),
          new Old("Processing", Fate.RUNS, Map.of("processing_deadline", now - 60)),
          new Old(
              "Processing", Fate.GONE, Map.of("processing_deadline", now - 60, "at_most_once", 1)),
          new Old("Processing", Fate.KEPT, Map.of("processing_deadline", now + 3600)),
          new Old("Failure", Fate.GONE, Map.of("on_attempts_exceeded", 1)),
          new Old("Failure", Fate.DEAD_LETTER, Map.of("on_attempts_exceeded", 2)),
          new Old("Retry", Fate.RETRIED, Map.of()),
          new Old("Complete", Fate.GONE, Map.of()),
          new Old("Delay", Fate.RUNS, Map.of("delay_until", now - 60)),
          new Old("Delay", Fate.RUNS, Map.of("delay_until", delayEnds)));

  private static final int DELAYED = 16;

  /// Longer than a worker takes on any machine: each of its tasks runs once.
  private static final int DEADLINE_SECONDS = 60;

  private final TaskTemplate template = new TaskTemplate(BrokerSetup.APPLICATION, "n", "t", 100, 1);
  private final List<TaskActivation> activations = new ArrayList<>();
  private final ExecutionLog log = new ExecutionLog(rows.size());
  private final Map<Integer, Execution> runs = new ConcurrentHashMap<>();

  @TempDir private Path dir;

  private record Execution(TaskActivation activation, Instant at) {}

  @Test
  void rowsOfEveryStatusGoOnFromWhereTheReferenceLeftThem(KafkaView view) throws Exception {
    BrokerSetup setup =
        BrokerSetup.pull(dir, "taken-over", view.bootstrap())
            .with("upkeep_deadline_reset_skip_after_startup_sec", "2");
    setup.withStore("processing_deadline_grace_sec: 0");
    view.createTopics(setup, 1);
    fill(setup);

    try (var broker = setup.start().awaitServing(PATIENCE)) {
      try (var _ =
          PullWorker.start(
              WorkerOptions.of(setup.address()).withConcurrency(4),
              BrokerSetup.APPLICATION,
              this::behave,
              log)) {
        await()
            .atMost(PATIENCE)
            .untilAsserted(
                () -> assertThat(runs.keySet()).isEqualTo(numbers(Fate.RUNS, Fate.RETRIED)));
        await()
            .atMost(PATIENCE)
            .untilAsserted(() -> assertThat(setup.rows()).isEqualTo(numbers(Fate.KEPT).size()));
        await()
            .atMost(PATIENCE)
            .untilAsserted(
                () -> assertThat(view.deadTasks(setup)).isEqualTo(numbers(Fate.DEAD_LETTER)));
      }
      assertFates(setup);
      assertThat(broker.interrupt(Duration.ofSeconds(30))).isZero();
    }
  }

  private void assertFates(BrokerSetup setup) throws Exception {
    for (int number = 0; number < rows.size(); number++) {
      Fate fate = rows.get(number).fate();
      boolean runs = fate == Fate.RUNS || fate == Fate.RETRIED;
      assertThat(log.starts(number)).as("runs of %d", number).isEqualTo(runs ? 1 : 0);
    }
    for (int number : numbers(Fate.RETRIED)) {
      TaskActivation retry = requireNonNull(runs.get(number)).activation();
      assertThat(retry.getId()).isNotEqualTo(activations.get(number).getId());
      assertThat(retry.getRetryState().getAttempts()).isEqualTo(1);
    }
    assertThat(requireNonNull(runs.get(DELAYED)).at())
        .isAfterOrEqualTo(Instant.ofEpochSecond(delayEnds));
    int kept = numbers(Fate.KEPT).iterator().next();
    assertThat(setup.inStore("SELECT processing_deadline FROM inflight_taskactivations"))
        .isEqualTo(now + 3600);
    try (var calls = new RawCalls(setup)) {
      var report =
          SetTaskStatusRequest.newBuilder()
              .setId(activations.get(kept).getId())
              .setStatus(TaskActivationStatus.TASK_ACTIVATION_STATUS_COMPLETE)
              .build();
      assertThat(
              calls
                  .call(ConsumerServiceGrpc.getSetTaskStatusMethod(), report.toByteArray(), null)
                  .code())
          .isEqualTo(io.grpc.Status.Code.OK);
    }
    assertThat(setup.rows()).as("its worker's report is taken").isZero();
    assertThat(setup.inStore("SELECT count(*) FROM _sqlx_migrations")).isEqualTo(1);
  }

  private Run behave(TaskActivation activation, int start) {
    runs.put(TaskTemplate.numberOf(activation), new Execution(activation, Instant.now()));
    return Run.completing(5);
  }

  private Set<Integer> numbers(Fate... fates) {
    var numbers = new TreeSet<Integer>();
    for (int number = 0; number < rows.size(); number++) {
      if (List.of(fates).contains(rows.get(number).fate())) {
        numbers.add(number);
      }
    }
    return numbers;
  }

  private void fill(BrokerSetup setup) throws SQLException {
    try (Connection connection = setup.openStore();
        var statement = connection.createStatement()) {
      statement.execute("PRAGMA journal_mode = WAL");
      for (String sql : SCHEMA) {
        statement.execute(sql);
      }
      for (int number = 0; number < rows.size(); number++) {
        insert(connection, number, rows.get(number));
      }
    }
  }

  private void insert(Connection connection, int number, Old old) throws SQLException {
    TaskActivation.Builder building =
        template.task(number).setProcessingDeadlineDuration(DEADLINE_SECONDS);
    if (old.columns().getOrDefault("on_attempts_exceeded", 1).equals(2)) {
      building
          .getRetryStateBuilder()
          .setOnAttemptsExceeded(OnAttemptsExceeded.ON_ATTEMPTS_EXCEEDED_DEADLETTER);
    }
    TaskActivation activation = building.build();
    activations.add(activation);
    var columns = new LinkedHashMap<String, Object>();
    columns.put("id", activation.getId());
    columns.put("activation", activation.toByteArray());
    columns.put("\"partition\"", 0);
    columns.put("\"offset\"", number);
    columns.put("added_at", now - 100 + number);
    columns.put("received_at", now - 100);
    columns.put("processing_attempts", 0);
    columns.put("processing_deadline_duration", DEADLINE_SECONDS);
    columns.put("status", old.status());
    columns.put("namespace", activation.getNamespace());
    columns.put("taskname", activation.getTaskname());
    columns.put("application", activation.getApplication());
    columns.putAll(old.columns());
    String names = String.join(", ", columns.keySet());
    String places = columns.keySet().stream().map(_ -> "?").collect(Collectors.joining(", "));
    try (var insert =
        connection.prepareStatement(
            "INSERT INTO inflight_taskactivations (%s) VALUES (%s)".formatted(names, places))) {
      int at = 1;
      for (Object value : columns.values()) {
        insert.setObject(at++, value);
      }
      insert.executeUpdate();
    }
  }
}
