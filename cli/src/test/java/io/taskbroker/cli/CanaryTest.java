package io.taskbroker.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.testkit.Behaviour.Run;
import io.taskbroker.testkit.ExecutionLog;
import io.taskbroker.testkit.PullWorker;
import io.taskbroker.testkit.PushWorker;
import io.taskbroker.testkit.TaskTemplate;
import io.taskbroker.testkit.WorkerOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// Canary tasks of a real process: workers receive them at each start, by push and by pull, and the
/// first records of the topic that the canaries name as their origin are still read (reference-spec
/// 1.4, H23).
@Timeout(240)
@ExtendWith(SharedKafka.class)
final class CanaryTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int CANARIES = 3;
  private static final int REAL = 5;

  private final ExecutionLog log = new ExecutionLog(REAL);
  private final List<TaskActivation> got = new CopyOnWriteArrayList<>();

  @TempDir private Path dir;

  private Run run(TaskActivation activation, int start) {
    got.add(activation);
    return Run.completing(1);
  }

  @Test
  void h23EachStartPushesCanariesAndRecordsAtTheirOffsetsStillRun(KafkaView view) throws Exception {
    BrokerSetup setup =
        BrokerSetup.pull(dir, "canary-push", view.bootstrap()).with("canary_tasks", "" + CANARIES);
    view.createTopics(setup, 1);
    try (var worker = PushWorker.start(WorkerOptions.of(setup.address()), this::run, log)) {
      setup
          .with("delivery_mode", "push")
          .with("worker_map", "{%s: \"%s\"}".formatted(BrokerSetup.APPLICATION, worker.url()));
      try (var broker = setup.start().awaitServing(PATIENCE)) {
        await().atMost(PATIENCE).until(() -> log.acknowledged() == CANARIES);
        assertCanaries(BrokerSetup.APPLICATION);
        publish(view, setup);
        await().atMost(PATIENCE).until(() -> log.completedTasks() == REAL);
        await().atMost(PATIENCE).untilAsserted(() -> view.assertAllCommitted(setup));
        assertThat(broker.stop(PATIENCE)).isZero();
      }
      got.clear();
      try (var broker = setup.start().awaitServing(PATIENCE)) {
        await().atMost(PATIENCE).until(() -> log.acknowledged() == 2 * CANARIES + REAL);
        assertCanaries(BrokerSetup.APPLICATION);
        await().until(() -> setup.rows() == 0);
        assertThat(broker.stop(PATIENCE)).isZero();
      }
    }
  }

  @Test
  void canariesOfEveryApplicationWaitToBePulled(KafkaView view) throws Exception {
    BrokerSetup setup =
        BrokerSetup.pull(dir, "canary-pull", view.bootstrap())
            .with("canary_tasks", "" + CANARIES)
            .with("worker_map", "{one: \"http://127.0.0.1:1\", two: \"http://127.0.0.1:2\"}");
    view.createTopics(setup, 1);
    try (var broker = setup.start().awaitServing(PATIENCE)) {
      await().atMost(PATIENCE).until(() -> setup.rows() == 2 * CANARIES);
      assertThat(
              setup.inStore(
                  """
                  SELECT count(*) FROM inflight_taskactivations WHERE namespace = 'internal'
                  AND taskname = 'canary_task' AND partition = -1 AND "offset" < 3
                  """))
          .isEqualTo(2 * CANARIES);
      try (var _ =
          PullWorker.start(
              WorkerOptions.of(setup.address()).withConcurrency(1), "two", this::run, log)) {
        await().atMost(PATIENCE).until(() -> log.acknowledged() == CANARIES);
      }
      assertCanaries("two");
      assertThat(setup.rows()).as("those of the other application").isEqualTo(CANARIES);
      assertThat(broker.stop(PATIENCE)).isZero();
    }
  }

  private void assertCanaries(String application) {
    assertThat(got)
        .hasSize(CANARIES)
        .allSatisfy(canary -> {
          assertThat(canary.getApplication()).isEqualTo(application);
          assertThat(canary.getNamespace()).isEqualTo("internal");
          assertThat(canary.getTaskname()).isEqualTo("canary_task");
          assertThat(canary.getProcessingDeadlineDuration()).isEqualTo(10);
          assertThat(canary.hasRetryState()).isFalse();
          assertThat(canary.getParametersBytes().toByteArray())
              .isEqualTo(HexFormat.of().parseHex("82a46172677390a66b776172677380"));
          assertThat(UUID.fromString(canary.getId()).version()).isEqualTo(4);
        });
  }

  private static void publish(KafkaView view, BrokerSetup setup) throws Exception {
    var template = new TaskTemplate(BrokerSetup.APPLICATION, "n", "t", 100, 1);
    for (int task = 0; task < REAL; task++) {
      view.publish(setup.topic(), template.task(task).build().toByteArray());
    }
  }
}
