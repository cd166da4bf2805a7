package io.taskbroker.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.grpc.Status;
import io.taskbroker.proto.v1.ConsumerServiceGrpc;
import io.taskbroker.proto.v1.SetBatchActivationStatusRequest;
import io.taskbroker.proto.v1.SetTaskStatusRequest;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.proto.v1.TaskActivationStatus;
import io.taskbroker.testkit.Behaviour.Run;
import io.taskbroker.testkit.BrokerProcess;
import io.taskbroker.testkit.ExecutionLog;
import io.taskbroker.testkit.Ports;
import io.taskbroker.testkit.PushWorker;
import io.taskbroker.testkit.StatsdReceiver;
import io.taskbroker.testkit.TaskProducer;
import io.taskbroker.testkit.TaskTemplate;
import io.taskbroker.testkit.WorkerOptions;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// The operator's view of the real process: statsd, Prometheus and the log show the same numbers,
/// which match the work done.
@Timeout(240)
@ExtendWith(SharedKafka.class)
final class MetricsTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int TASKS = 300;
  private static final int FAILING = TASKS / 10;
  private static final int RETRIED = TASKS / 10;
  private static final int RUNS = TASKS + RETRIED;
  private static final int COMPLETED = TASKS - FAILING;

  private static final String TASK = "{application=\"app\",taskname=\"t\"} ";

  private final ExecutionLog log = new ExecutionLog(TASKS);
  private final int port = Ports.free();

  @TempDir private Path dir;

  @Test
  void w50StatsdAndPrometheusSayWhatWasDone(KafkaView view) throws Exception {
    BrokerSetup setup = BrokerSetup.pull(dir, "metrics", view.bootstrap());
    view.createTopics(setup, 2);
    try (var statsd = StatsdReceiver.open();
        var client = HttpClient.newHttpClient();
        var worker =
            PushWorker.start(WorkerOptions.of(setup.address()), MetricsTest::behave, log)) {
      setup
          .with("delivery_mode", "push")
          .with("worker_map", "{%s: \"%s\"}".formatted(BrokerSetup.APPLICATION, worker.url()))
          .with("statsd_addr", "127.0.0.1:" + statsd.address().getPort())
          .with("default_metrics_tags", "{region: eu}")
          .with("metrics_addr", "127.0.0.1:" + port)
          .with("upkeep_task_interval_ms", "100")
          .with("log_filter", "info,taskbroker::upkeep=debug");
      try (var broker = setup.start().awaitServing(PATIENCE)) {
        publish(view, setup);
        await().atMost(PATIENCE).until(() -> log.completedTasks() == COMPLETED);
        await().atMost(PATIENCE).until(() -> setup.rows() == 0);
        assertThat(get(client, "/health").statusCode()).isEqualTo(200);
        reportUnknown(setup);
        await().atMost(PATIENCE).untilAsserted(() -> assertScraped(client, setup));
        assertThat(broker.stop(Duration.ofSeconds(30))).isZero();
      }
      await().untilAsserted(() -> assertReported(statsd, setup));
    }
    assertLogged(setup);
  }

  private static Run behave(TaskActivation activation, int start) {
    int kind = TaskTemplate.numberOf(activation) % 10;
    if (kind == 3) {
      return Run.failing(5);
    }
    return kind == 7 && start == 1 ? Run.retrying(5, 2, 8) : Run.completing(5);
  }

  private void publish(KafkaView view, BrokerSetup setup) {
    var template = new TaskTemplate(BrokerSetup.APPLICATION, "n", "t", 100, 1);
    try (var producer = new TaskProducer(view.bootstrap(), setup.topic(), log)) {
      for (int task = 0; task < TASKS; task++) {
        producer.send(task, template.deadLettered(task, 2).build());
      }
      producer.flush();
    }
  }

  /// One report and a call with two, about unknown tasks, which are not errors (G6).
  private static void reportUnknown(BrokerSetup setup) throws Exception {
    SetTaskStatusRequest report =
        SetTaskStatusRequest.newBuilder()
            .setId("unknown")
            .setStatus(TaskActivationStatus.TASK_ACTIVATION_STATUS_FAILURE)
            .build();
    byte[] batch =
        SetBatchActivationStatusRequest.newBuilder()
            .addUpdates(report)
            .addUpdates(report)
            .build()
            .toByteArray();
    try (var calls = new RawCalls(setup)) {
      assertThat(
              calls
                  .call(ConsumerServiceGrpc.getSetTaskStatusMethod(), report.toByteArray(), null)
                  .code())
          .isEqualTo(Status.Code.OK);
      assertThat(
              calls
                  .call(ConsumerServiceGrpc.getSetBatchActivationStatusMethod(), batch, null)
                  .code())
          .isEqualTo(Status.Code.OK);
    }
  }

  private void assertScraped(HttpClient client, BrokerSetup setup) throws Exception {
    String topic = "{topic=\"" + setup.topic() + "\"}";
    assertThat(get(client, "/metrics").body().lines())
        .contains(
            "taskbroker_upkeep_task_state_transition_total{state=\"completed\"} %d.0"
                .formatted(COMPLETED),
            "taskbroker_upkeep_task_state_transition_total{state=\"failed\"} %d.0"
                .formatted(FAILING),
            "taskbroker_upkeep_task_state_transition_total{state=\"retried\"} %d.0"
                .formatted(RETRIED),
            "taskbroker_upkeep_cleanup_action_total{kind=\"publish_deadlettered\"} %d.0"
                .formatted(FAILING),
            "taskbroker_upkeep_cleanup_action_total{kind=\"mark_delay_elapsed_as_pending\"} %d.0"
                .formatted(RETRIED),
            "taskbroker_consumer_inflight_activation_writer_stored_total%s %d.0"
                .formatted(topic, RUNS),
            "taskbroker_worker_push_task_total{result=\"ok\"} %d.0".formatted(RUNS),
            "taskbroker_fetch_claimed_total %d.0".formatted(RUNS),
            "taskbroker_grpc_server_set_status_total{result=\"ok\",status=\"Complete\"} %d.0"
                .formatted(COMPLETED),
            "taskbroker_grpc_server_set_status_total{result=\"not_found\",status=\"Failure\"} 1.0",
            "taskbroker_grpc_server_set_status_total{result=\"ok\",status=\"Failure\"} %d.0"
                .formatted(FAILING),
            "taskbroker_grpc_server_set_batch_activation_status_total_updates_received_total 2.0",
            "taskbroker_grpc_server_set_batch_activation_status_batch_size_sum{status=\"Failure\"}"
                + " 2.0",
            "taskbroker_inflight_events_total{event=\"unknown_id\"} 3.0",
            "taskbroker_push_received_to_push_latency_seconds_count{namespace=\"n\",taskname=\"t\"} %d"
                .formatted(RUNS),
            "taskbroker_arroyo_consumer_current_partitions%s 2.0".formatted(topic),
            "taskbroker_upkeep_current_pending_tasks" + TASK + "0.0",
            "taskbroker_upkeep_current_delayed_tasks" + TASK + "0.0",
            "taskbroker_upkeep_current_claimed_tasks" + TASK + "0.0",
            "taskbroker_upkeep_current_processing_tasks" + TASK + "0.0",
            "taskbroker_tasks_completed_total" + TASK + COMPLETED + ".0",
            "taskbroker_tasks_failed_total" + TASK + FAILING + ".0",
            "taskbroker_tasks_retried_total" + TASK + RETRIED + ".0",
            "taskbroker_tasks_dead_lettered_total" + TASK + FAILING + ".0",
            "taskbroker_grpc_server_set_status_failure_total %d.0".formatted(FAILING + 3),
            "taskbroker_grpc_server_set_batch_activation_status_updates_total"
                + "{result=\"ok\",status=\"Failure\"} 2.0",
            "taskbroker_consumer_lag_messages{partition=\"0\",topic=\"%s\"} 0.0"
                .formatted(setup.topic()))
        .noneMatch(line -> line.contains("taskworker"))
        .anyMatch(line -> line.matches("taskbroker_build_info\\{commit=.*,version=.*} 1.0"))
        .anyMatch(line -> line.matches("taskbroker_upkeep_db_file_size_bytes [1-9].*"))
        .anyMatch(line -> line.matches("taskbroker_runtime_worker_utilization_ratio 0\\.0*[1-9].*"))
        .anyMatch(line -> line.matches("taskbroker_upkeep_health_total\\{status=\"healthy\"} .*"));
  }

  private static void assertReported(StatsdReceiver statsd, BrokerSetup setup) {
    String transition = "taskbroker.upkeep.task.state_transition";
    assertThat(statsd.sum(transition, "state", "completed")).isEqualTo(COMPLETED);
    assertThat(statsd.sum(transition, "state", "failed")).isEqualTo(FAILING);
    assertThat(statsd.sum(transition, "state", "retried")).isEqualTo(RETRIED);
    assertThat(
            statsd.sum(
                "taskbroker.consumer.inflight_activation_writer.stored", "topic", setup.topic()))
        .isEqualTo(RUNS);
    assertThat(statsd.sum("taskbroker.worker.push_task", "result", "ok")).isEqualTo(RUNS);
    assertThat(statsd.times("taskbroker.push.received_to_push.latency")).isEqualTo(RUNS);
    assertThat(statsd.times("taskbroker.consumer.message.payload_size_bytes")).isEqualTo(RUNS);
    assertThat(statsd.sum("taskbroker.grpc.request")).isGreaterThanOrEqualTo(RUNS);
    assertThat(statsd.lines("taskbroker.upkeep.current_pending_tasks").getLast())
        .satisfies(line -> {
          assertThat(line.value()).isZero();
          assertThat(line.tags()).containsEntry("topic", "taskworker");
        });
    assertThat(statsd.lines())
        .allSatisfy(line -> assertThat(line.tags()).containsEntry("region", "eu"));
  }

  private static void assertLogged(BrokerSetup setup) throws IOException {
    Pattern completed = Pattern.compile("result_context\\.completed=(\\d+)");
    assertThat(setup.output()).noneMatch(line -> line.contains(" ERROR "));
    assertThat(
            setup.output().stream()
                .filter(line -> line.contains("upkeep.complete"))
                .map(completed::matcher)
                .filter(Matcher::find)
                .mapToInt(match -> Integer.parseInt(match.group(1)))
                .sum())
        .isEqualTo(COMPLETED);
  }

  /// Two brokers on a machine start without configuration; a configured address must be free.
  @Test
  void aBusyMetricsAddressIsAnErrorOnlyIfConfigured() throws Exception {
    BrokerSetup first = BrokerSetup.pull(dir, "first", "127.0.0.1:1").with("log_format", "json");
    BrokerSetup second = BrokerSetup.pull(dir, "second", "127.0.0.1:1");
    try (var other = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"));
        var one = first.start().awaitServing(PATIENCE);
        var two = second.start().awaitServing(PATIENCE)) {
      BrokerSetup busy =
          BrokerSetup.pull(dir, "busy", "127.0.0.1:1")
              .with("metrics_addr", "127.0.0.1:" + other.getLocalPort());
      try (BrokerProcess ended = busy.start()) {
        await().atMost(PATIENCE).until(() -> !ended.isAlive());
        assertThat(ended.exitCode()).hasValue(1);
        assertThat(busy.exitReasons())
            .singleElement()
            .asString()
            .contains("metrics_addr", "127.0.0.1:" + other.getLocalPort(), "in use");
      }
      assertThat(one.stop(Duration.ofSeconds(30))).isZero();
      assertThat(two.stop(Duration.ofSeconds(30))).isZero();
      assertThat(Stream.concat(first.output().stream(), second.output().stream()))
          .as("one of them, or another process on this machine, has the default address")
          .filteredOn(line -> line.contains("Metrics are not served"))
          .isNotEmpty()
          .allSatisfy(line ->
              assertThat(line)
                  .contains("127.0.0.1:9464", "metrics_addr")
                  .containsIgnoringCase("warn"));
      assertThat(first.output())
          .allMatch(line -> line.startsWith("{\"timestamp\":\"") && line.endsWith("\"}"));
    }
  }

  @Test
  void anUnreachableSentryIsNotAnError() throws Exception {
    BrokerSetup setup =
        BrokerSetup.pull(dir, "sentry", "127.0.0.1:1")
            .with("sentry_dsn", "http://s3cret@127.0.0.1:1/1")
            .with("sentry_env", "test");
    BrokerSetup wrong =
        BrokerSetup.pull(dir, "wrong", "127.0.0.1:1").with("sentry_dsn", "https://s3cret@/");
    try (var broker = setup.start().awaitServing(PATIENCE);
        var ended = wrong.start()) {
      await().atMost(PATIENCE).until(() -> !ended.isAlive());
      assertThat(ended.exitCode()).hasValue(1);
      assertThat(wrong.exitReasons()).singleElement().asString().contains("sentry_dsn");
      assertThat(broker.stop(Duration.ofSeconds(30))).isZero();
    }
    assertThat(setup.output()).noneMatch(line -> line.contains("s3cret"));
    assertThat(wrong.output()).noneMatch(line -> line.contains("s3cret"));
  }

  /// The reference's rebalance test looks for errors in the log.
  @Test
  void aRebalanceLogsNoError(KafkaView view) throws Exception {
    BrokerSetup first = BrokerSetup.pull(dir, "rebalance", view.bootstrap());
    BrokerSetup second =
        BrokerSetup.pull(dir, "rebalance-too", view.bootstrap())
            .with("kafka_deadletter_topic", first.deadLetters())
            .with(
                "kafka_topics",
                "{%s: {cluster: main, consumer_group: %s}, %s: {cluster: main, consumer_group: %s, produce_only: true}}"
                    .formatted(first.topic(), first.group(), first.deadLetters(), first.group()));
    view.createTopics(first, 2);
    try (var one = first.start().awaitServing(PATIENCE)) {
      await().atMost(PATIENCE).until(() -> reads(first, 2));
      try (var two = second.start().awaitServing(PATIENCE)) {
        await().atMost(PATIENCE).until(() -> reads(second, 1));
        assertThat(two.stop(Duration.ofSeconds(30))).isZero();
      }
      await().atMost(PATIENCE).until(() -> reads(first, 3));
      assertThat(one.stop(Duration.ofSeconds(30))).isZero();
    }
    assertThat(first.output()).noneMatch(line -> line.contains("ERROR"));
    assertThat(second.output()).noneMatch(line -> line.contains("ERROR"));
  }

  /// Whether a broker has started to read a partition this many times.
  private static boolean reads(BrokerSetup setup, int times) throws IOException {
    return setup.output().stream().filter(line -> line.contains(": Reads ")).count() >= times;
  }

  private HttpResponse<String> get(HttpClient client, String path) throws Exception {
    URI uri = URI.create("http://127.0.0.1:" + port + path);
    return client.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString());
  }
}
