package io.taskbroker.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.testkit.Behaviour.Run;
import io.taskbroker.testkit.BrokerLaunch;
import io.taskbroker.testkit.BrokerProcess;
import io.taskbroker.testkit.ExecutionLog;
import io.taskbroker.testkit.Ports;
import io.taskbroker.testkit.PullWorker;
import io.taskbroker.testkit.PushWorker;
import io.taskbroker.testkit.TaskProducer;
import io.taskbroker.testkit.TaskTemplate;
import io.taskbroker.testkit.WorkerOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// Configuration files written for the reference start this broker unchanged, with its command
/// line; the environment supplies the machine's own addresses, as an operator would (reference-spec
/// 3.1, 3.5, 3.6).
@Timeout(240)
@ExtendWith(SharedKafka.class)
final class ReferenceFilesTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int TASKS = 60;
  private static final int FAILING = TASKS / 3;

  private final int port = Ports.free();

  @TempDir private Path dir;

  @Test
  void aFileWithSectionsServesPushAndPullUnchanged(KafkaView view) throws Exception {
    view.createTopic("reference-tasks", 2, Map.of());
    view.createTopic("reference-retries", 1, Map.of());
    view.createTopic("reference-dlq", 1, Map.of());
    var given =
        new Given("sections.yaml", "reference-tasks", "reference-dlq", List.of("new secret"));
    var environment =
        Map.of(
            "TASKBROKER_KAFKA_CLUSTERS__MAIN__ADDRESS", view.bootstrap(),
            "TASKBROKER_STORE__SQLITE__PATH", store().toString());

    pushes(view, given, environment, List.of("-c"));
    pulls(view, given, environment, List.of("--run", "broker", "--config"));

    assertThat(warnings("push"))
        .hasSize(2)
        .satisfiesOnlyOnce(line -> assertThat(line).contains("kafka_consume_retry_topic"))
        .satisfiesOnlyOnce(line -> assertThat(line).contains("fetch_pool"));
    assertThat(output("push")).noneMatch(line -> line.contains("old secret"));
  }

  @Test
  void aFileOfFlatKeysServesPullAndPushUnchanged(KafkaView view) throws Exception {
    view.createTopic("flat-tasks", 2, Map.of());
    view.createTopic("flat-dlq", 1, Map.of());
    var given = new Given("flat.yaml", "flat-tasks", "flat-dlq", List.of());
    var environment =
        Map.of(
            "TASKBROKER_KAFKA_CLUSTER", view.bootstrap(),
            "TASKBROKER_DB_PATH", store().toString());

    pulls(view, given, environment, List.of("-c"));
    pushes(view, given, environment, List.of("-r", "broker", "-c"));

    assertThat(warnings("pull"))
        .hasSize(2)
        .satisfiesOnlyOnce(line -> assertThat(line).contains("db_name"))
        .satisfiesOnlyOnce(line -> assertThat(line).contains("kafka_consume_retry_topic"));
  }

  /// A file, and the names in it.
  private record Given(String file, String topic, String deadLetters, List<String> secrets) {}

  private void pulls(
      KafkaView view, Given given, Map<String, String> environment, List<String> options)
      throws Exception {
    var log = new ExecutionLog(TASKS);
    var variables = new TreeMap<>(environment);
    variables.put("TASKBROKER_DELIVERY_MODE", "pull");
    try (var broker = start("pull", given, variables, options);
        var _ =
            PullWorker.start(
                worker(given).withConcurrency(10), "app", ReferenceFilesTest::behave, log)) {
      runTasks(view, given, log);
      assertThat(broker.interrupt(Duration.ofSeconds(30))).isZero();
    }
    assertCleanLog("pull");
  }

  private void pushes(
      KafkaView view, Given given, Map<String, String> environment, List<String> options)
      throws Exception {
    var log = new ExecutionLog(TASKS);
    var variables = new TreeMap<>(environment);
    variables.put("TASKBROKER_DELIVERY_MODE", "push");
    try (var worker = PushWorker.start(worker(given), ReferenceFilesTest::behave, log)) {
      variables.put("TASKBROKER_WORKER_MAP__APP", worker.url());
      try (var broker = start("push", given, variables, options)) {
        runTasks(view, given, log);
        assertThat(broker.interrupt(Duration.ofSeconds(30))).isZero();
      }
    }
    assertCleanLog("push");
  }

  private WorkerOptions worker(Given given) {
    return WorkerOptions.of("127.0.0.1:" + port).withSecrets(given.secrets());
  }

  private BrokerProcess start(
      String run, Given given, Map<String, String> environment, List<String> options)
      throws Exception {
    Path file =
        Path.of(
            requireNonNull(ReferenceFilesTest.class.getResource("/reference/" + given.file()))
                .toURI());
    String[] program = new String[options.size() + 2];
    program[0] = "io.taskbroker.cli.Main";
    for (int i = 0; i < options.size(); i++) {
      program[i + 1] = options.get(i);
    }
    program[program.length - 1] = file.toString();
    BrokerLaunch launch =
        BrokerLaunch.ofThisClassPath(file, port, dir.resolve(run))
            .withJvmOptions("-XX:TieredStopAtLevel=1")
            .withProgram(program)
            .withEnvironment("TASKBROKER_GRPC_PORT", Integer.toString(port));
    for (var variable : environment.entrySet()) {
      launch = launch.withEnvironment(variable.getKey(), variable.getValue());
    }
    return BrokerProcess.start(launch).awaitServing(PATIENCE);
  }

  /// A third completes, a third is retried once, and a third is dead-lettered.
  private void runTasks(KafkaView view, Given given, ExecutionLog log) throws Exception {
    long before = view.published(given.deadLetters());
    var template = new TaskTemplate("app", "ns", "t", 100, System.nanoTime());
    try (var producer = new TaskProducer(view.bootstrap(), given.topic(), log)) {
      for (int task = 0; task < TASKS; task++) {
        producer.send(task, template.deadLettered(task, 2).build());
      }
      producer.flush();
    }
    await().atMost(PATIENCE).until(() -> log.completedTasks() == TASKS - FAILING);
    await().atMost(PATIENCE).until(() -> view.published(given.deadLetters()) == before + FAILING);
    await().atMost(PATIENCE).until(() -> rows() == 0);
    for (int task = 0; task < TASKS; task++) {
      assertThat(log.starts(task)).as("runs of %d", task).isEqualTo(task % 3 == 1 ? 2 : 1);
    }
    for (ConsumerRecord<byte[], byte[]> letter : view.read(given.deadLetters())) {
      assertThat(TaskTemplate.numberOf(TaskActivation.parseFrom(letter.value())) % 3).isEqualTo(2);
    }
  }

  private static Run behave(TaskActivation activation, int start) {
    return switch (TaskTemplate.numberOf(activation) % 3) {
      case 1 -> start == 1 ? Run.retrying(5, 2, 0) : Run.completing(5);
      case 2 -> Run.failing(5);
      default -> Run.completing(5);
    };
  }

  private void assertCleanLog(String run) throws Exception {
    assertThat(output(run)).noneMatch(line -> line.contains(" ERROR "));
  }

  private List<String> warnings(String run) throws Exception {
    return output(run).stream().filter(line -> line.contains("Unknown configuration key")).toList();
  }

  private List<String> output(String run) throws Exception {
    return new String(Files.readAllBytes(dir.resolve(run)), UTF_8).lines().toList();
  }

  private long rows() throws Exception {
    try (var connection = DriverManager.getConnection("jdbc:sqlite:" + store());
        var statement = connection.createStatement();
        var result = statement.executeQuery("SELECT count(*) FROM inflight_taskactivations")) {
      return result.getLong(1);
    }
  }

  private Path store() {
    return dir.resolve("store.sqlite");
  }
}
