package io.taskbroker.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.conformance.Journal.Run;
import io.taskbroker.testkit.EmbeddedKafka;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/// Workers that stop and die with tasks in their hands: nothing is lost, and what may run only once
/// does.
///
/// A worker that is told to stop lets each child finish its task within five seconds, and abandons
/// what waits in its own queue.
@Timeout(300)
@ExtendWith({SharedKafka.class, LogsOfFailure.class})
@Execution(ExecutionMode.CONCURRENT)
final class WorkerStopTest {
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final int ENDING = Deployment.CONCURRENCY - 1;
  private static final int QUEUED = 3;

  @Test
  void whatAPullingWorkerLeavesRunsAgain(EmbeddedKafka kafka) throws Exception {
    try (var deployment = Deployment.pull(kafka, "stop-pull", PythonEnvironment.CURRENT)) {
      assertNothingIsLost(deployment);
    }
  }

  @Test
  void whatAPushedWorkerLeavesRunsAgain(EmbeddedKafka kafka) throws Exception {
    try (var deployment = Deployment.push(kafka, "stop-push", PythonEnvironment.CURRENT)) {
      assertNothingIsLost(deployment);
    }
  }

  private static void assertNothingIsLost(Deployment deployment) throws Exception {
    deployment.withAllTasks().startBroker();
    try (var dispatcher = deployment.startDispatcher()) {
      stopWithTasksRunning(deployment, dispatcher);
      killWithATaskRunning(deployment, dispatcher);
      dispatcher.finish();
    }
    deployment.startReadyWorker();
    deployment.awaitNothingInFlight(PATIENCE);

    assertThat(outcomes(deployment, "long")).startsWith("", "returned");
    assertThat(deployment.journal().runs("brief"))
        .extracting(run -> run.args().path(0).asInt())
        .containsAll(IntStream.range(0, QUEUED).boxed().toList());
    assertThat(deployment.journal().runs("once-long")).hasSize(1);
    assertThat(outcomes(deployment, "wait")).hasSize(ENDING).containsOnly("returned");
    assertThat(deployment.deadLetters()).isEmpty();
    assertThat(deployment.stopBroker()).as("exit code").isZero();
  }

  /// Some tasks that end in time, one that does not, and some that have not begun.
  private static void stopWithTasksRunning(Deployment deployment, Dispatcher dispatcher)
      throws Exception {
    PythonProcess worker = deployment.startReadyWorker();
    IntStream.range(0, ENDING).forEach(_ -> dispatcher.delay("work:wait", 3));
    dispatcher.delay("work:long");
    awaitRunning(deployment, "wait", ENDING);
    awaitRunning(deployment, "long", 1);
    IntStream.range(0, QUEUED).forEach(number -> dispatcher.delay("work:brief", number));
    assertThat(worker.stop(Duration.ofSeconds(30))).as("exit code").isZero();
    assertThat(outcomes(deployment, "wait")).hasSize(ENDING).containsOnly("returned");
    assertThat(outcomes(deployment, "long")).containsExactly("");
  }

  private static void killWithATaskRunning(Deployment deployment, Dispatcher dispatcher)
      throws Exception {
    PythonProcess worker = deployment.startReadyWorker();
    dispatcher.delay("work:once-long");
    awaitRunning(deployment, "once-long", 1);
    worker.kill();
  }

  private static void awaitRunning(Deployment deployment, String task, int number) {
    await()
        .alias(task)
        .atMost(PATIENCE)
        .until(() -> outcomes(deployment, task).stream().filter(String::isEmpty).count() == number);
  }

  private static List<String> outcomes(Deployment deployment, String task) {
    return deployment.journal().runs(task).stream().map(Run::outcome).toList();
  }
}
