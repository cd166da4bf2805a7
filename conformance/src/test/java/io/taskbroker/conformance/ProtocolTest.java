package io.taskbroker.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import tools.jackson.databind.JsonNode;

/// What docs/protocol.md promises, seen by a Python client that was written from it alone.
@Timeout(300)
@ExtendWith(LogsOfFailure.class)
@Execution(ExecutionMode.CONCURRENT)
final class ProtocolTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Duration END = Duration.ofSeconds(60);

  @Test
  void retriesFollowThePolicyOrTheWorker() throws Exception {
    try (var deployment = new ProtocolDeployment("protocol-retry", null);
        var enqueuer = deployment.startEnqueuer()) {
      var _ = deployment.startWorker("worker", 10, 10);
      Map<String, Object> growing =
          Map.of("maxAttempts", 3, "delayMs", "200", "growthPercent", 300);
      Map<String, Object> twice = Map.of("maxAttempts", 2);
      enqueuer.enqueue(
          List.of(
              task("growing", Map.of("failures", 2), growing),
              task("exhausted", Map.of("failures", 9), twice),
              task("final", Map.of("failures", 9, "final", true), twice),
              task("asked", Map.of("failures", 2, "max_attempts", 3, "retry_after_ms", 0), twice)));

      assertThat(enqueuer.outcome("growing")).isEqualTo("COMPLETED");
      assertThat(enqueuer.outcome("exhausted")).isEqualTo("FAILED");
      assertThat(enqueuer.outcome("final")).isEqualTo("FAILED");
      assertThat(enqueuer.outcome("asked")).isEqualTo("COMPLETED");
      assertThat(attempts(deployment, "growing")).containsExactly(0, 1, 2);
      assertThat(attempts(deployment, "exhausted")).containsExactly(0, 1);
      assertThat(attempts(deployment, "final")).containsExactly(0);
      assertThat(attempts(deployment, "asked")).containsExactly(0, 1, 2);
      List<JsonNode> runs = starts(deployment, "growing");
      assertThat(seconds(runs.get(0), runs.get(1))).isGreaterThanOrEqualTo(0.2);
      assertThat(seconds(runs.get(1), runs.get(2))).isGreaterThanOrEqualTo(0.6);
    }
  }

  @Test
  void aRepeatedEnqueueDoesNotRunTwice() throws Exception {
    try (var deployment = new ProtocolDeployment("protocol-repeat", null);
        var enqueuer = deployment.startEnqueuer()) {
      var _ = deployment.startWorker("worker", 10, 10);
      Map<String, Object> named = task("once", Map.of(), Map.of());
      Map<String, Object> keyed =
          Map.of(
              "task",
              Map.of("name", "work", "application", ProtocolDeployment.APPLICATION),
              "idempotencyKey",
              "order 7");
      assertThat(enqueuer.enqueue(List.of(named, named, keyed)))
          .containsExactly("ACCEPTED", "ALREADY_EXISTS", "ACCEPTED");
      assertThat(enqueuer.outcome("once")).isEqualTo("COMPLETED");
      assertThat(enqueuer.stream(List.of(List.of(named), List.of(keyed))))
          .containsExactly("ALREADY_EXISTS", "ALREADY_EXISTS");
      assertThat(enqueuer.enqueue(List.of(Map.of("task", Map.of("id", "nameless")))))
          .containsExactly("REJECTED INVALID");
      await().atMost(PATIENCE).until(() -> deployment.journal().notes("end").count() == 2);
      assertThat(deployment.journal().notes("start")).hasSize(2);
    }
  }

  @Test
  void aCancellationReachesTheWorker() throws Exception {
    try (var deployment = new ProtocolDeployment("protocol-cancel", null);
        var enqueuer = deployment.startEnqueuer()) {
      var _ = deployment.startWorker("worker", 10, 10);
      enqueuer.enqueue(
          List.of(
              Enqueuer.task(
                  "running", "endless", Map.of(), Map.of("retry", Map.of("maxAttempts", 5))),
              Enqueuer.task("later", "work", Map.of(), Map.of("delaySeconds", "3600"))));
      assertThat(enqueuer.ask("Explain", "later").path("reason").asString()).isEqualTo("PARKED");
      await().atMost(PATIENCE).until(() -> !starts(deployment, "running").isEmpty());

      assertThat(enqueuer.ask("Get", "running").path("state").asString())
          .isEqualTo("TASK_STATE_RUNNING");
      assertThat(enqueuer.ask("Cancel", "running").path("state").asString())
          .isEqualTo("TASK_STATE_RUNNING");
      assertThat(enqueuer.ask("Cancel", "later").path("state").asString())
          .isEqualTo("TASK_STATE_ENDED");
      assertThat(enqueuer.ask("Cancel", "unheard of").path("found").asBoolean()).isFalse();
      assertThat(enqueuer.outcome("running")).isEqualTo("CANCELLED");
      assertThat(enqueuer.outcome("later")).isEqualTo("CANCELLED");
      assertThat(deployment.journal().notes("cancellation")) // another one may answer a heartbeat
          .isNotEmpty()
          .allMatch(note -> note.path("reason").asString().equals("REQUESTED"));
      assertThat(deployment.journal().notes("start")).hasSize(1);
    }
  }

  /// The worker is frozen for longer than its lease; another one has its task when it continues.
  @Test
  void aStaleResultIsRefused() throws Exception {
    try (var deployment = new ProtocolDeployment("protocol-stale", null);
        var enqueuer = deployment.startEnqueuer()) {
      PythonProcess frozen = deployment.startWorker("frozen", 1, 1);
      enqueuer.enqueue(List.of(Enqueuer.task("slow", "stubborn", Map.of("ms", 10_000), Map.of())));
      await().atMost(PATIENCE).until(() -> !starts(deployment, "slow").isEmpty());
      frozen.freeze();
      var _ = deployment.startWorker("other", 1, 1);
      await().atMost(PATIENCE).until(() -> starts(deployment, "slow").size() == 2);
      frozen.thaw();

      assertThat(enqueuer.outcome("slow")).isEqualTo("COMPLETED");
      await().atMost(PATIENCE).until(() -> deployment.journal().notes("acknowledged").count() == 2);
      assertThat(deployment.journal().notes("acknowledged"))
          .extracting(ack -> ack.path("worker").asString() + " " + ack.path("status").asString())
          .containsExactly("frozen STALE", "other ACCEPTED");
      List<JsonNode> runs = starts(deployment, "slow");
      assertThat(runs.get(1).path("token").asString())
          .isNotEqualTo(runs.get(0).path("token").asString());
    }
  }

  @Test
  void aStoppingBrokerTakesTheResultsOfWhatRuns() throws Exception {
    try (var deployment = new ProtocolDeployment("protocol-drain", null);
        var enqueuer = deployment.startEnqueuer()) {
      var _ = deployment.startWorker("worker", 4, 4);
      enqueuer.enqueue(
          IntStream.range(0, 8)
              .mapToObj(i -> Enqueuer.task("t" + i, "work", Map.of("ms", 1_000), Map.of()))
              .toList());
      await().atMost(PATIENCE).until(() -> deployment.journal().notes("start").count() >= 4);

      assertThat(deployment.stopBroker()).as("exit code").isZero();
      assertThat(deployment.journal().notes("drain")).isNotEmpty();
      long begun = deployment.journal().notes("start").count();
      await()
          .atMost(PATIENCE)
          .until(() -> deployment.journal().notes("acknowledged").count() == begun);
      deployment.killAndRestartBroker();
      for (int i = 0; i < 8; i++) {
        assertThat(enqueuer.outcome("t" + i)).isEqualTo("COMPLETED");
      }
      assertThat(deployment.journal().notes("start")).as("runs").hasSize(8);
    }
  }

  @Test
  void aStoppingWorkerReturnsWhatItDidNotBegin() throws Exception {
    try (var deployment = new ProtocolDeployment("protocol-release", null);
        var enqueuer = deployment.startEnqueuer()) {
      PythonProcess stopped = deployment.startWorker("stopped", 5, 1);
      enqueuer.enqueue(
          IntStream.range(0, 5)
              .mapToObj(i -> Enqueuer.task("t" + i, "work", Map.of("ms", 4_000), Map.of()))
              .toList());
      await().atMost(PATIENCE).until(() -> deployment.journal().notes("start").count() == 1);

      assertThat(stopped.stop(END)).as("exit code").isZero();
      assertThat(deployment.journal().notes("acknowledged"))
          .extracting(ack -> ack.path("outcome").asString())
          .containsExactlyInAnyOrder("released", "released", "released", "released", "completed");
      var _ = deployment.startWorker("other", 5, 5);
      for (int i = 0; i < 5; i++) {
        assertThat(enqueuer.outcome("t" + i)).isEqualTo("COMPLETED");
      }
      assertThat(deployment.journal().notes("start"))
          .hasSize(5)
          .allMatch(start -> start.path("attempts").asInt() == 0);
    }
  }

  @Test
  void onlySignedCallsAreServed() throws Exception {
    try (var deployment = new ProtocolDeployment("protocol-secret", "right")) {
      try (var enqueuer = deployment.startEnqueuer()) {
        var _ = deployment.startWorker("worker", 1, 1);
        enqueuer.enqueue(List.of(task("signed", Map.of(), Map.of())));
        assertThat(enqueuer.stream(List.of(List.of(task("signed", Map.of(), Map.of())))))
            .containsExactly("ALREADY_EXISTS");
        assertThat(enqueuer.outcome("signed")).isEqualTo("COMPLETED");
      }
      deployment.withClientSecret("wrong");
      try (var enqueuer = deployment.startEnqueuer()) {
        PythonProcess refused = deployment.startWorker("refused", 1, 1);
        assertThat(enqueuer.ask("Get", "signed").path("error").asString())
            .isEqualTo("UNAUTHENTICATED");
        assertThat(refused.awaitEnd(END)).as("exit code").isNotZero();
        assertThat(deployment.journal().notes("stream_ended"))
            .extracting(end -> end.path("status").asString())
            .containsExactly("UNAUTHENTICATED");
      }
    }
  }

  private static Map<String, Object> task(
      String id, Map<String, Object> arguments, Map<String, Object> retry) {
    return Enqueuer.task(id, "work", arguments, Map.of("retry", retry));
  }

  private static List<JsonNode> starts(ProtocolDeployment deployment, String id) {
    return deployment
        .journal()
        .notes("start")
        .filter(start -> start.path("id").asString().equals(id))
        .toList();
  }

  private static List<Integer> attempts(ProtocolDeployment deployment, String id) {
    return starts(deployment, id).stream().map(run -> run.path("attempts").asInt()).toList();
  }

  private static double seconds(JsonNode from, JsonNode to) {
    return to.path("at").asDouble() - from.path("at").asDouble();
  }
}
