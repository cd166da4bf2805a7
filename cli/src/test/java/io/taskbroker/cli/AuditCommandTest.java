package io.taskbroker.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.testkit.Behaviour.Run;
import io.taskbroker.testkit.ExecutionLog;
import io.taskbroker.testkit.Ports;
import io.taskbroker.testkit.PostgresServer;
import io.taskbroker.testkit.PostgresServer.Database;
import io.taskbroker.testkit.PullWorker;
import io.taskbroker.testkit.TaskTemplate;
import io.taskbroker.testkit.WorkerOptions;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// The audit of a topic whose records met every fate, beside the real broker and without it, with
/// both stores.
@Timeout(240)
@ExtendWith(SharedKafka.class)
final class AuditCommandTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int TASKS = 20;

  private final ExecutionLog log = new ExecutionLog(TASKS);
  private final TaskTemplate template = new TaskTemplate(BrokerSetup.APPLICATION, "n", "t", 0, 24);
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @TempDir private Path dir;

  @Test
  void everyRecordIsAccountedForOnSqlite(KafkaView view) throws Exception {
    BrokerSetup setup = BrokerSetup.pull(dir, "audit", view.bootstrap());
    everyRecordIsAccountedFor(view, setup);
    theCommandsOfTheDocumentRun(setup);
    theBrokerSamples(setup);

    // As if the store had lost its last transactions.
    try (var connection = setup.openStore();
        var statement = connection.createStatement()) {
      statement.executeUpdate("UPDATE watermark SET next = 5");
    }
    assertThat(audit(setup, "--from", "5", "--to", "9")).isEqualTo(3);
    assertThat(out.toString()).contains("unaccounted");
  }

  @Test
  void everyRecordIsAccountedForOnPostgres(KafkaView view) throws Exception {
    Database database = PostgresServer.shared().newDatabase();
    BrokerSetup setup =
        BrokerSetup.pull(dir, "audit-pg", view.bootstrap())
            .with(
                "store",
                """
                {adapter: postgres, sqlite: {path: "%s"}, pg: {host: "%s", port: %d, \
                database_name: %s, username: %s, password: %s, run_migrations: true}}\
                """
                    .formatted(
                        dir.resolve("unused.sqlite"),
                        database.host(),
                        database.port(),
                        database.name(),
                        database.username(),
                        database.password()));
    everyRecordIsAccountedFor(view, setup);
  }

  private void everyRecordIsAccountedFor(KafkaView view, BrokerSetup setup) throws Exception {
    view.createTopics(setup, 1);
    try (var broker = setup.start().awaitServing(PATIENCE)) {
      // Offsets 0 to 9: completed, but 3 fails, 5 is retried, and 7 has the id of 6.
      byte[] six = null;
      for (int task = 0; task < 10; task++) {
        byte[] bytes = template.deadLettered(task, 3).build().toByteArray();
        six = task == 6 ? bytes : six;
        view.publish(setup.topic(), task == 7 ? six : bytes);
      }
      view.publish(setup.topic(), new byte[] {1, 2, 3}); // 10
      try (var worker =
          PullWorker.start(
              WorkerOptions.of(setup.address()).withConcurrency(1),
              BrokerSetup.APPLICATION,
              AuditCommandTest::behave,
              log)) {
        await().atMost(PATIENCE).until(() -> log.completedTasks() == 8);
        await().atMost(PATIENCE).until(() -> view.published(setup.deadLetters()) == 2);
        assertThat(worker.awaitIdle(PATIENCE)).isTrue();
      }
      // The retry of 5 is record 11 of the same topic.
      for (int task = 12; task < 14; task++) {
        TaskActivation.Builder later = template.task(task);
        view.publish(
            setup.topic(), (task == 12 ? later : later.setDelay(3_000)).build().toByteArray());
      }
      await()
          .atMost(PATIENCE)
          .untilAsserted(() -> {
            assertThat(audit(setup, "--list", "-o", "json")).as(err.toString()).isZero();
            assertThat(lines())
                .anyMatch(line -> line.contains("\"offset\":13,") && line.contains("delayed"));
          });
      assertThat(lines())
          .anyMatch(line -> line.contains("\"ended\":8"))
          .anyMatch(line -> line.contains("\"offset\":3,") && line.contains("dead_lettered"))
          .anyMatch(line -> line.contains("\"offset\":5,") && line.contains("retried"))
          .anyMatch(line -> line.contains("\"offset\":7,") && line.contains("of 0:6"))
          .anyMatch(line -> line.contains("\"offset\":10,") && line.contains("dead_lettered"))
          .anyMatch(line -> line.contains("\"offset\":12,") && line.contains("waiting"));
      assertThat(broker.stop(Duration.ofSeconds(30))).isZero();
    }
    view.publish(setup.topic(), template.task(14).build().toByteArray());
    assertThat(audit(setup)).isZero();
    assertThat(lines())
        .anyMatch(line -> line.startsWith("1 ") && line.contains("not_read"))
        .anyMatch(line -> line.startsWith("2 ") && line.contains("dead_lettered"));
  }

  private void theCommandsOfTheDocumentRun(BrokerSetup setup) throws Exception {
    List<String> commands =
        Files.readAllLines(Path.of("../docs/dead-letters.md")).stream()
            .filter(line -> line.startsWith("taskbroker audit"))
            .map(line -> line.replace("shop-tasks", setup.topic()))
            .map(line -> line.replace("config.yaml", setup.config().toString()))
            .toList();
    assertThat(commands).hasSize(2);
    for (String command : commands) {
      List<String> words = List.of(command.split(" "));
      assertThat(run(words.subList(1, words.size()))).as(command).isZero();
    }
  }

  private void theBrokerSamples(BrokerSetup setup) throws Exception {
    int port = Ports.free();
    setup.with("audit_sample_records", "5").with("metrics_addr", "127.0.0.1:" + port);
    try (var client = HttpClient.newHttpClient();
        var broker = setup.start().awaitServing(PATIENCE)) {
      var page =
          HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/metrics")).build();
      await()
          .atMost(PATIENCE)
          .untilAsserted(() ->
              assertThat(client.send(page, HttpResponse.BodyHandlers.ofString()).body())
                  .containsPattern(
                      "taskbroker_audit_records_total\\{outcome=\"ended\",topic=\"%s\"} [1-5]"
                          .formatted(setup.topic())));
      assertThat(broker.stop(Duration.ofSeconds(30))).isZero();
    }
  }

  private static Run behave(TaskActivation activation, int start) {
    return switch (TaskTemplate.numberOf(activation)) {
      case 3 -> Run.failing(1);
      case 5 -> start == 1 ? Run.retrying(1, 3, Run.NOT_GIVEN) : Run.completing(1);
      default -> Run.completing(1);
    };
  }

  private List<String> lines() {
    return out.toString().lines().toList();
  }

  private int audit(BrokerSetup setup, String... more) {
    var words =
        new ArrayList<>(
            List.of("audit", "--topic", setup.topic(), "-c", setup.config().toString()));
    words.addAll(List.of(more));
    return run(words);
  }

  private int run(List<String> words) {
    out.getBuffer().setLength(0);
    err.getBuffer().setLength(0);
    return Main.commandLine()
        .setOut(new PrintWriter(out))
        .setErr(new PrintWriter(err))
        .execute(words.toArray(String[]::new));
  }
}
