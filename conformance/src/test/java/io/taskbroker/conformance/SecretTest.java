package io.taskbroker.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.conformance.Journal.Run;
import io.taskbroker.testkit.EmbeddedKafka;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/// Shared secrets: a worker with the wrong one runs nothing and loses nothing, and secrets can be
/// exchanged on one side after the other.
///
/// The broker accepts what is signed with either of its secrets, and signs with the first.
@Timeout(300)
@ExtendWith({SharedKafka.class, LogsOfFailure.class})
@Execution(ExecutionMode.CONCURRENT)
final class SecretTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @Test
  void aWorkerThatPullsWithTheWrongSecretIsRefused(EmbeddedKafka kafka) throws Exception {
    try (var deployment = Deployment.pull(kafka, "secret-pull", PythonEnvironment.CURRENT)) {
      assertOnlyTheRightSecretWorks(deployment, "GetTask");
    }
  }

  /// The client's worker does not refuse a push that is signed with another secret: it answers OK,
  /// having put an empty task in the place of what it was sent (its interceptor and its handler run
  /// on two threads). The report of that one's failure is what the broker refuses. The task itself
  /// meets its processing deadline, and is pushed again.
  @Test
  void aWorkerThatIsPushedToWithTheWrongSecretIsRefused(EmbeddedKafka kafka) throws Exception {
    try (var deployment = Deployment.push(kafka, "secret-push", PythonEnvironment.CURRENT)) {
      assertOnlyTheRightSecretWorks(deployment, "SetBatchActivationStatus");
    }
  }

  private static void assertOnlyTheRightSecretWorks(Deployment deployment, String refusedMethod)
      throws Exception {
    deployment.withBrokerSecrets("old", "new").startBroker();
    try (var dispatcher = deployment.startDispatcher()) {
      dispatcher.delay("work:brief");
      dispatcher.finish();
    }
    try (var _ = deployment.withWorkerSecrets("wrong").startWorker()) {
      await().atMost(PATIENCE).until(() -> refusals(deployment, refusedMethod) > 0);
    }
    assertThat(deployment.journal().runs("brief")).isEmpty();
    try (var _ = deployment.withWorkerSecrets("new", "old").startWorker()) {
      deployment.awaitNothingInFlight(PATIENCE);
    }
    assertThat(deployment.journal().runs("brief")).isNotEmpty().allMatch(Run::isOver);
    assertThat(deployment.stopBroker()).as("exit code").isZero();
  }

  private static long refusals(Deployment deployment, String method) {
    return deployment
        .journal()
        .notes("metric")
        .map(note -> note.path("tags"))
        .filter(tags -> tags.path("status").asString().equals("UNAUTHENTICATED"))
        .filter(tags -> tags.path("method").asString().equals(method))
        .count();
  }
}
