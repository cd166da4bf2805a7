package io.taskbroker.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.testkit.EmbeddedKafka;
import java.time.Duration;
import java.util.DoubleSummaryStatistics;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/// A worker on grpcio with `maximum_concurrent_rpcs`, which refuses in words of its own whatever is
/// over that, and one task that kills it whenever it comes (H24, G8).
@Timeout(300)
@ExtendWith({SharedKafka.class, LogsOfFailure.class})
@Execution(ExecutionMode.CONCURRENT)
final class LimitedWorkerTest {
  private static final Duration PATIENCE = Duration.ofSeconds(200);
  private static final int TASKS = 1_000;

  @Test
  void h24NoTaskIsEndedByLoad(EmbeddedKafka kafka) throws Exception {
    try (var deployment = Deployment.push(kafka, "limited", PythonEnvironment.CURRENT)) {
      deployment.startBroker();
      try (var dispatcher = deployment.startDispatcher()) {
        IntStream.range(0, TASKS).forEach(number -> dispatcher.delay("work:brief", number));
        dispatcher.finish();
      }
      deployment.startLimitedWorker(4, Duration.ofMillis(20));
      deployment.awaitNothingInFlight(PATIENCE);
      assertThat(done(deployment)).isEqualTo(TASKS);
      assertThat(deployment.deadLetters()).isEmpty();
      assertThat(deployment.stopBroker()).as("exit code").isZero();
    }
  }

  @Test
  void g8TaskThatKillsItsWorkerIsFoundAndItsNeighboursAreDone(EmbeddedKafka kafka)
      throws Exception {
    try (var deployment = Deployment.push(kafka, "killed", PythonEnvironment.CURRENT)) {
      deployment.startBroker();
      try (var dispatcher = deployment.startDispatcher()) {
        dispatcher.delay("work:exhaust-deadletter", "payload");
        IntStream.range(0, TASKS).forEach(number -> dispatcher.delay("work:brief", number));
        dispatcher.finish();
      }
      deployment.startLimitedWorker(4, Duration.ofMillis(20));
      deployment.awaitNothingInFlight(PATIENCE);
      assertThat(done(deployment)).isEqualTo(TASKS);
      assertThat(deployment.deadLetters())
          .singleElement()
          .extracting(TaskActivation::getTaskname)
          .isEqualTo("exhaust-deadletter");
      assertThat(deployment.journal().notes("killed").count()).isBetween(5L, 7L);
      assertThat(deployment.stopBroker()).as("exit code").isZero();
    }
  }

  @Test
  void slowWorkerIsCalledAsOftenAtATimeAsItHasSlots(EmbeddedKafka kafka) throws Exception {
    try (var deployment = Deployment.push(kafka, "slow", PythonEnvironment.CURRENT)) {
      deployment.startBroker();
      try (var dispatcher = deployment.startDispatcher()) {
        IntStream.range(0, TASKS).forEach(number -> dispatcher.delay("work:brief", number));
        dispatcher.finish();
      }
      deployment.startLimitedWorker(50, Duration.ofMillis(200));
      deployment.awaitNothingInFlight(PATIENCE);
      assertThat(done(deployment)).isEqualTo(TASKS);
      DoubleSummaryStatistics times =
          deployment
              .journal()
              .notes("done")
              .mapToDouble(note -> note.path("at").asDouble())
              .summaryStatistics();
      double perSecond = TASKS / (times.getMax() - times.getMin());
      System.out.printf("%.0f tasks/s of 200 ms with 50 slots%n", perSecond);
      // One call at a time gives 5, all slots give 250.
      assertThat(perSecond).isGreaterThan(10);
      assertThat(deployment.stopBroker()).as("exit code").isZero();
    }
  }

  private static long done(Deployment deployment) {
    return deployment.journal().notes("done").map(note -> note.path("id")).distinct().count();
  }
}
