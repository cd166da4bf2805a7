package io.taskbroker.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.conformance.Dispatcher.Dispatched;
import io.taskbroker.conformance.Journal.Run;
import io.taskbroker.testkit.EmbeddedKafka;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/// The broker dies while the client's worker runs tasks, and comes back: the worker repeats its
/// reports until they are answered, and nothing runs twice (G1, G2).
@Timeout(300)
@ExtendWith({SharedKafka.class, LogsOfFailure.class})
@Execution(ExecutionMode.CONCURRENT)
final class BrokerDeathTest {
  private static final Duration PATIENCE = Duration.ofSeconds(90);
  private static final int TASKS = Deployment.CONCURRENCY;
  private static final int RUN_SECONDS = 6;
  private static final int DELAY = 10;

  @Test
  void g1g2APullingWorkerReportsToTheNextBroker(EmbeddedKafka kafka) throws Exception {
    try (var deployment = Deployment.pull(kafka, "death-pull", PythonEnvironment.CURRENT)) {
      assertEachRunsOnce(deployment);
    }
  }

  @Test
  void g1g2APushedWorkerReportsToTheNextBroker(EmbeddedKafka kafka) throws Exception {
    try (var deployment = Deployment.push(kafka, "death-push", PythonEnvironment.CURRENT)) {
      assertEachRunsOnce(deployment);
    }
  }

  private static void assertEachRunsOnce(Deployment deployment) throws Exception {
    deployment.startBroker().startReadyWorker();
    Dispatched delayed;
    try (var dispatcher = deployment.startDispatcher()) {
      delayed = dispatcher.applyAsync("work:echo", List.of(), Map.of("countdown", DELAY));
      IntStream.range(0, TASKS).forEach(_ -> dispatcher.delay("work:wait", RUN_SECONDS));
      dispatcher.finish();
    }
    await()
        .atMost(PATIENCE)
        .untilAsserted(() -> {
          assertThat(deployment.journal().runs("wait")).hasSize(TASKS);
          assertThat(deployment.running()).as("written down as running").isEqualTo(TASKS);
        });
    deployment.killAndRestartBroker();
    deployment.awaitNothingInFlight(PATIENCE);

    assertThat(deployment.journal().runs("wait"))
        .hasSize(TASKS)
        .extracting(Run::outcome)
        .containsOnly("returned");
    assertThat(deployment.journal().runs("echo")).hasSize(1);
    assertThat(deployment.journal().runs("echo").getFirst().at())
        .isGreaterThanOrEqualTo(delayed.before() + DELAY);
    assertThat(deployment.stopBroker()).as("exit code").isZero();
  }
}
