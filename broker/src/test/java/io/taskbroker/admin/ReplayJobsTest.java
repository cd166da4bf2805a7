package io.taskbroker.admin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.taskbroker.deadletter.DeadLetterException;
import io.taskbroker.deadletter.ReplayReport;
import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Runs of replays: one at a time, stopped on request, and remembered with what came of them.
@Timeout(240)
final class ReplayJobsTest {
  private final ReplayJobs jobs = new ReplayJobs(InstantSource.system());

  @Test
  void g7OneRunAtATimeAndTheOldestAreForgotten() {
    var goOn = new CountDownLatch(1);
    String first =
        start(progress -> {
          progress.accept(report(1));
          goOn.await();
          return report(2);
        });
    await().until(() -> jobs.find(first).orElseThrow().counts().done() == 1);
    assertThatThrownBy(() -> start(_ -> report(0)))
        .isInstanceOfSatisfying(
            ApiProblem.class, problem -> assertThat(problem.status()).isEqualTo(409))
        .hasMessageContaining("goes on");
    goOn.countDown();
    awaitState(first, "done");
    assertThat(jobs.find(first).orElseThrow().counts().done()).isEqualTo(2);
    for (int i = 0; i < ReplayJobs.KEPT; i++) {
      awaitState(start(_ -> report(0)), "done");
    }
    assertThat(jobs.all()).hasSize(ReplayJobs.KEPT);
    assertThat(jobs.find(first)).isEmpty();
  }

  @Test
  void aRunIsStoppedWithWhatItDid() {
    String run =
        start(progress -> {
          progress.accept(report(3));
          new CountDownLatch(1).await();
          return report(4);
        });
    await().until(() -> jobs.find(run).orElseThrow().counts().done() == 3);
    jobs.stop(run);
    awaitState(run, "stopped");
    assertThat(jobs.find(run).orElseThrow().counts().done()).isEqualTo(3);
    assertThatThrownBy(() -> jobs.stop(run)).isInstanceOf(ApiProblem.class);
  }

  @Test
  void aFailureIsKept() {
    String run =
        start(_ -> {
          throw new DeadLetterException("Kafka is away", null);
        });
    awaitState(run, "failed");
    assertThat(jobs.find(run).orElseThrow().problem()).hasValue("Kafka is away");
    awaitState(start(_ -> report(0)), "done");
  }

  private String start(ReplayJobs.Work work) {
    return jobs.start("replay", false, "ann", "why", work).id();
  }

  private void awaitState(String run, String state) {
    await().until(() -> jobs.find(run).orElseThrow().state().equals(state));
  }

  private static ReplayReport report(long done) {
    return new ReplayReport("r", done, done, Map.of(), Map.of(), true, done, 10);
  }
}
