package io.taskbroker.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.grpc.Status;
import io.taskbroker.proto.v1.SetTaskStatusRequest;
import io.taskbroker.testkit.Behaviour.Result;
import io.taskbroker.testkit.Behaviour.Run;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(240)
final class PullWorkerTest {
  private static final int TASKS = 3_000;

  private final TaskTemplate template = new TaskTemplate("app", "ns", "task", 100, 7);
  private final ExecutionLog log = new ExecutionLog(TASKS);

  @Test
  void runsEveryTaskOnceAndFetchesTheNextWithItsReport() throws Exception {
    try (var broker = new FakeBroker(0)) {
      for (int i = 0; i < TASKS; i++) {
        broker.tasks.add(template.task(i).build());
      }
      try (var worker =
          PullWorker.start(
              WorkerOptions.of(broker.address()).withConcurrency(500),
              "app",
              Behaviour.completing(Duration.ofMillis(50)),
              log)) {
        await().until(() -> log.completedTasks() == TASKS);

        assertThat(worker.awaitIdle(Duration.ofSeconds(10))).isTrue();
      }
      assertThat(broker.reports)
          .hasSize(TASKS)
          .allMatch(report -> report.getFetchNextTask().getApplication().equals("app"));
    }
    for (int i = 0; i < TASKS; i++) {
      assertThat(log.starts(i)).isEqualTo(1);
    }
  }

  @Test
  void neverExceedsItsConcurrency() throws Exception {
    try (var broker = new FakeBroker(0)) {
      for (int i = 0; i < 20; i++) {
        broker.tasks.add(template.task(i).build());
      }
      try (var worker =
          PullWorker.start(
              WorkerOptions.of(broker.address()).withConcurrency(3),
              "app",
              Behaviour.completing(Duration.ofMinutes(1)),
              log)) {
        await().until(() -> worker.running() == 3);

        assertThat(broker.tasks).hasSize(17);
      }
    }
  }

  @Test
  void findsWorkAfterAnEmptyQueue() throws Exception {
    try (var broker = new FakeBroker(0);
        var _ =
            PullWorker.start(
                WorkerOptions.of(broker.address()).withConcurrency(2),
                "app",
                (_, start) -> start == 1 ? Run.silent(0) : Run.failing(0),
                log)) {
      for (int i = 0; i < 3; i++) {
        broker.tasks.add(template.task(1).build());
        await().until(broker.tasks::isEmpty);
      }

      await().until(() -> log.acknowledged(Result.FAIL, 1) == 2);
    }
    assertThat(log.starts(1)).isEqualTo(3);
  }

  @Test
  void reportsUntilTheBrokerIsBack() throws Exception {
    int port = Ports.free();
    try (var worker =
        PullWorker.start(
            WorkerOptions.of(Ports.HOST + ":" + port).withSecrets(List.of("secret")),
            "app",
            Behaviour.completing(Duration.ofMillis(100)),
            log)) {
      try (var broker = new FakeBroker(port)) {
        broker.answer = Status.UNAVAILABLE;
        broker.tasks.add(template.task(0).build());
        await().until(() -> log.finishes(0) == 1);
      }
      assertThat(worker.awaitIdle(Duration.ofMillis(200))).isFalse();

      try (var broker = new FakeBroker(port)) {
        assertThat(worker.awaitIdle(Duration.ofSeconds(20))).isTrue();

        SetTaskStatusRequest report = broker.reports.element();
        assertThat(broker.signatures)
            .contains(
                new Signer(List.of("secret"))
                    .sign(RawMethods.SET_TASK_STATUS.getFullMethodName(), report.toByteArray()));
      }
    }
    assertThat(log.completedTasks()).isEqualTo(1);
    assertThat(log.starts(0)).isEqualTo(1);
  }
}
