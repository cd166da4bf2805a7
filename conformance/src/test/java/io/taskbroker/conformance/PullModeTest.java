package io.taskbroker.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.conformance.Journal.Run;
import io.taskbroker.testkit.EmbeddedKafka;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/// The current client in pull mode, with a shared secret, against a broker that batches status
/// updates; and its scheduler.
final class PullModeTest extends FullContract {
  private static final int TICKS = 3;

  PullModeTest(EmbeddedKafka kafka) {
    super(
        Deployment.pull(kafka, "pull", PythonEnvironment.CURRENT)
            .with("batch_status_updates", "true")
            .withBrokerSecrets("pull secret")
            .withWorkerSecrets("pull secret"));
  }

  @Override
  void awaitMore() throws InterruptedException {
    try (var scheduler = deployment().startScheduler()) {
      await().atMost(Duration.ofSeconds(60)).until(() -> runs("tick").size() >= TICKS);
      assertThat(scheduler.isAlive()).isTrue();
    }
  }

  /// Without it, a worker would wait after each answer that there is nothing.
  @Test
  void w4TheNextTaskComesWithTheAnswerToAReport() {
    List<Run> burst = echoes("burst");
    double begin = burst.getFirst().at();
    double end = burst.getLast().at();
    assertThat(
            notesOfMetric("taskworker.client.get_task")
                .map(note -> note.path("at").asDouble())
                .filter(at -> at >= begin && at <= end))
        .as("calls while %d tasks ran", BURST)
        .hasSizeLessThan(BURST * 5 / 6);
  }

  @Test
  void theSchedulersTasksRun() {
    List<Run> runs = runs("tick");
    assertThat(runs).hasSizeGreaterThanOrEqualTo(TICKS);
    assertThat(runs).extracting(Run::id).doesNotHaveDuplicates();
    assertThat(published(runs.getFirst()).getHeadersMap()).doesNotContainKey("sentry-trace");
  }
}
