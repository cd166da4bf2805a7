package io.taskbroker.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.grpc.Status;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.taskbroker.proto.v1.ConsumerServiceGrpc;
import io.taskbroker.proto.v1.GetTaskRequest;
import io.taskbroker.proto.v1.GetTaskResponse;
import io.taskbroker.proto.v1.SetTaskStatusRequest;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.proto.v1.TaskActivationStatus;
import io.taskbroker.testkit.TaskTemplate;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// The store of a real process is stuck because another process locks its file: no report is
/// acknowledged, readiness turns false, judged from outside the stuck stage, and true again once
/// the store works (G2, G9, H25, W30). With `health_check_killswitched` it stays true.
@Timeout(240)
@ExtendWith(SharedKafka.class)
final class StuckStoreTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @TempDir private Path dir;

  @Test
  void w30h25StuckStoreTurnsReadinessFalseAndAnswersNoReport(KafkaView view) throws Exception {
    BrokerSetup setup = BrokerSetup.pull(dir, "stuck", view.bootstrap());
    view.createTopics(setup, 1);
    try (var broker = setup.start().awaitServing(PATIENCE);
        var calls = new RawCalls(setup)) {
      TaskActivation task = deliver(view, setup, calls);
      try (var other = setup.openStore();
          var statement = other.createStatement()) {
        statement.execute("PRAGMA busy_timeout = 5000");
        statement.execute("BEGIN IMMEDIATE");
        long locked = System.nanoTime();
        assertThat(report(calls, task)).isNotEqualTo(Status.Code.OK);
        await().atMost(PATIENCE).until(() -> health(calls) == ServingStatus.NOT_SERVING);
        System.out.printf(
            "A stuck store made the broker unready in %d ms%n",
            (System.nanoTime() - locked) / 1_000_000);
        assertThat(broker.isAlive()).isTrue();
        statement.execute("ROLLBACK");
      }
      await().atMost(PATIENCE).until(() -> health(calls) == ServingStatus.SERVING);
      assertThat(report(calls, task)).isEqualTo(Status.Code.OK);
      assertThat(setup.rows()).isZero();
      assertThat(broker.stop(Duration.ofSeconds(30))).isZero();
    }
  }

  @Test
  void w30KillswitchedHealthStaysReady(KafkaView view) throws Exception {
    BrokerSetup setup =
        BrokerSetup.pull(dir, "killswitched", view.bootstrap())
            .with("health_check_killswitched", "true");
    view.createTopics(setup, 1);
    try (var _ = setup.start().awaitServing(PATIENCE);
        var calls = new RawCalls(setup)) {
      TaskActivation task = deliver(view, setup, calls);
      try (var other = setup.openStore();
          var statement = other.createStatement()) {
        statement.execute("PRAGMA busy_timeout = 5000");
        statement.execute("BEGIN IMMEDIATE");
        assertThat(report(calls, task)).isNotEqualTo(Status.Code.OK);
        await()
            .atMost(PATIENCE)
            .until(() ->
                setup.output().stream()
                    .anyMatch(line -> line.contains("still ready, by configuration")));
        assertThat(health(calls)).isEqualTo(ServingStatus.SERVING);
      }
    }
  }

  private static TaskActivation deliver(KafkaView view, BrokerSetup setup, RawCalls calls)
      throws Exception {
    var template = new TaskTemplate(BrokerSetup.APPLICATION, "n", "t", 100, 1);
    view.publish(setup.topic(), template.task(0).build().toByteArray());
    RawCalls.Answer answer =
        await()
            .atMost(PATIENCE)
            .until(
                () ->
                    calls.call(
                        ConsumerServiceGrpc.getGetTaskMethod(),
                        GetTaskRequest.getDefaultInstance().toByteArray(),
                        null),
                next -> next.code() != Status.Code.NOT_FOUND);
    assertThat(answer.code()).as(answer.text()).isEqualTo(Status.Code.OK);
    // The running task's status is on disk, so that nothing else waits for the store.
    await()
        .atMost(PATIENCE)
        .until(() ->
            setup.inStore(
                    "SELECT count(*) FROM inflight_taskactivations WHERE status = 'Processing'")
                == 1);
    return GetTaskResponse.parseFrom(HexFormat.of().parseHex(answer.text())).getTask();
  }

  private static Status.Code report(RawCalls calls, TaskActivation task) {
    return calls
        .call(
            ConsumerServiceGrpc.getSetTaskStatusMethod(),
            SetTaskStatusRequest.newBuilder()
                .setId(task.getId())
                .setStatus(TaskActivationStatus.TASK_ACTIVATION_STATUS_COMPLETE)
                .build()
                .toByteArray(),
            null)
        .code();
  }

  private static ServingStatus health(RawCalls calls) throws Exception {
    RawCalls.Answer answer =
        calls.call(
            HealthGrpc.getCheckMethod(),
            HealthCheckRequest.newBuilder()
                .setService(ConsumerServiceGrpc.SERVICE_NAME)
                .build()
                .toByteArray(),
            null);
    assertThat(answer.code()).as(answer.text()).isEqualTo(Status.Code.OK);
    return HealthCheckResponse.parseFrom(HexFormat.of().parseHex(answer.text())).getStatus();
  }
}
