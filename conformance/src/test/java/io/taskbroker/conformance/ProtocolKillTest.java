package io.taskbroker.conformance;

import static java.util.stream.Collectors.groupingBy;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import tools.jackson.databind.JsonNode;

/// Tasks that a Python client enqueues and runs, both written from docs/protocol.md alone, while a
/// worker and the broker are killed (G1, G2, G3).
///
/// Every task that was acknowledged runs, an at-most-once task once at most, and none runs after
/// its result was accepted.
@Timeout(300)
@ExtendWith(LogsOfFailure.class)
@Execution(ExecutionMode.CONCURRENT)
final class ProtocolKillTest {
  private static final Duration PATIENCE = Duration.ofMinutes(3);

  /// Less than the tasks of a lost worker would wait without streams.
  private static final Duration AFTER_THE_KILL = Duration.ofSeconds(50);

  private static final int TASKS = 2_000;
  private static final int BATCH = 50;
  private static final int MILLIS = 100;

  @Test
  void g1g2g3NothingIsLostOrDoneTwice() throws Exception {
    try (var deployment = new ProtocolDeployment("protocol-kill", null);
        var enqueuer = deployment.startEnqueuer()) {
      PythonProcess first = deployment.startWorker("first", 60, 40);
      var _ = deployment.startWorker("second", 60, 40);
      var enqueued = CompletableFuture.supplyAsync(() -> enqueue(enqueuer));
      awaitEnds(deployment, TASKS / 4);
      first.kill();
      var _ = deployment.startWorker("third", 60, 40);
      awaitEnds(deployment, TASKS / 2);
      deployment.killAndRestartBroker();

      assertThat(enqueued.join())
          .hasSize(TASKS)
          .allMatch(each -> each.equals("ACCEPTED") || each.equals("ALREADY_EXISTS"));
      await()
          .atMost(AFTER_THE_KILL)
          .pollInterval(Duration.ofMillis(500))
          .untilAsserted(() -> {
            assertThat(missing(deployment)).isEmpty();
            assertThat(deployment.tasksInFlight()).as("tasks without a result").isZero();
          });
      assertRuns(deployment);
      assertThat(deployment.stopBroker()).as("exit code").isZero();
    }
  }

  /// By calls and by streams in turns.
  private static List<String> enqueue(Enqueuer enqueuer) {
    var results = new ArrayList<String>();
    for (int from = 0; from < TASKS; from += 4 * BATCH) {
      results.addAll(enqueuer.enqueue(batch(from)));
      results.addAll(
          enqueuer.stream(
              List.of(batch(from + BATCH), batch(from + 2 * BATCH), batch(from + 3 * BATCH))));
    }
    return results;
  }

  private static List<Map<String, Object>> batch(int from) {
    return IntStream.range(from, from + BATCH).mapToObj(ProtocolKillTest::task).toList();
  }

  private static Map<String, Object> task(int number) {
    Map<String, Object> arguments = new HashMap<>();
    arguments.put("ms", MILLIS);
    Map<String, Object> retry = new HashMap<>();
    if (isAtMostOnce(number)) {
      retry.put("atMostOnce", true);
    } else if (isRetried(number)) {
      arguments.put("failures", 1);
      retry.put("maxAttempts", 5);
    }
    Map<String, Object> options = Map.of("retry", retry, "deadlineSeconds", "5");
    return Enqueuer.task("task-" + number, "work", arguments, options);
  }

  private static boolean isAtMostOnce(int number) {
    return number % 20 == 7;
  }

  private static boolean isRetried(int number) {
    return number % 10 == 3;
  }

  private static void awaitEnds(ProtocolDeployment deployment, int count) {
    await()
        .atMost(PATIENCE)
        .pollInterval(Duration.ofMillis(100))
        .until(() -> deployment.journal().notes("end").count() >= count);
  }

  /// Tasks that must run and have no completed run in the journal. Acknowledgements do not count:
  /// the killed worker never read its last ones.
  private static Set<String> missing(ProtocolDeployment deployment) {
    Set<String> missing = new HashSet<>();
    IntStream.range(0, TASKS)
        .filter(number -> !isAtMostOnce(number))
        .forEach(number -> missing.add("task-" + number));
    deployment
        .journal()
        .notes("end")
        .filter(end -> end.path("outcome").asString().equals("Completed"))
        .forEach(end -> missing.remove(end.path("id").asString()));
    return missing;
  }

  private static boolean isEnd(JsonNode ack) {
    return ack.path("outcome").asString().equals("completed");
  }

  private static void assertRuns(ProtocolDeployment deployment) {
    Journal journal = deployment.journal();
    Map<String, List<JsonNode>> starts =
        journal.notes("start").collect(groupingBy(start -> start.path("id").asString()));
    for (int number = 0; number < TASKS; number++) {
      List<JsonNode> runs = starts.getOrDefault("task-" + number, List.of());
      if (isAtMostOnce(number)) {
        assertThat(runs).as("runs of at-most-once task %d", number).hasSizeLessThan(2);
      } else if (isRetried(number)) {
        assertThat(runs)
            .as("retry of task %d", number)
            .anyMatch(run -> run.path("attempts").asInt() > 0);
      }
    }
    Map<String, Double> accepted = new HashMap<>();
    journal
        .notes("acknowledged")
        .filter(ack -> isEnd(ack) && ack.path("status").asString().equals("ACCEPTED"))
        .forEach(ack -> accepted.put(ack.path("id").asString(), ack.path("at").asDouble()));
    assertThat(starts.values().stream().flatMap(List::stream))
        .as("runs after an accepted result")
        .noneMatch(start ->
            start.path("at").asDouble()
                > accepted.getOrDefault(start.path("id").asString(), Double.MAX_VALUE));
    assertThat(journal.notes("stream_ended")).as("the broker was killed").isNotEmpty();
  }
}
