package io.taskbroker.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.testkit.Behaviour.Run;
import io.taskbroker.testkit.BrokerProcess;
import io.taskbroker.testkit.ExecutionLog;
import io.taskbroker.testkit.PushWorker;
import io.taskbroker.testkit.TaskProducer;
import io.taskbroker.testkit.TaskTemplate;
import io.taskbroker.testkit.WorkerOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// The clock of a real process steps forward by hours and back while tasks run: running tasks keep
/// their deadlines, delays follow the new time, and the process goes on (G5, H21).
@Timeout(240)
@ExtendWith(SharedKafka.class)
final class ClockTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Duration STEP = Duration.ofHours(2);
  private static final int RUNNING = 50;
  private static final int DELAYED = 100;
  private static final int LATER = 150;
  private static final int TASKS = 200;

  private final ExecutionLog log = new ExecutionLog(TASKS);
  private final TaskTemplate template = new TaskTemplate(BrokerSetup.APPLICATION, "n", "t", 100, 1);

  @TempDir private Path dir;

  @Test
  void h21WhatRunsIsNotMovedByTheClockAndDelaysFollowIt(KafkaView view) throws Exception {
    BrokerSetup setup = BrokerSetup.pull(dir, "clock", view.bootstrap());
    view.createTopics(setup, 1);
    Path clock = dir.resolve("offset");
    try (var worker =
        PushWorker.start(
            WorkerOptions.of(setup.address()).withConcurrency(TASKS), ClockTest::behave, log)) {
      setup
          .with("delivery_mode", "push")
          .with("max_delayed_task_allowed_sec", "100000")
          .with("worker_map", "{%s: \"%s\"}".formatted(BrokerSetup.APPLICATION, worker.url()));
      try (BrokerProcess broker = setup.startWith(SteppedClock.option(dir, clock))) {
        broker.awaitServing(PATIENCE);
        publish(view, setup, 0, RUNNING, task -> {});
        publish(view, setup, RUNNING, DELAYED, task -> task.setDelay(3_000));
        await().atMost(PATIENCE).until(() -> setup.rows() == DELAYED && log.starts() == RUNNING);

        SteppedClock.set(clock, STEP);
        awaitDone(RUNNING, DELAYED);
        publish(view, setup, DELAYED, LATER, task -> task.setDelay(3 * 3_600));
        awaitDone(0, DELAYED);

        SteppedClock.set(clock, STEP.negated());
        publish(view, setup, LATER, TASKS, task -> {});
        awaitDone(LATER, TASKS);
        assertThat(IntStream.range(DELAYED, LATER).map(log::starts).sum()).as("early").isZero();

        SteppedClock.set(clock, STEP.multipliedBy(3));
        awaitDone(0, TASKS);
        assertThat(worker.awaitIdle(PATIENCE)).isTrue();
        for (int task = 0; task < TASKS; task++) {
          assertThat(log.starts(task)).as("runs of task %d", task).isOne();
        }
        await().atMost(PATIENCE).until(() -> setup.rows() == 0);
        await().atMost(PATIENCE).untilAsserted(() -> view.assertAllCommitted(setup));
        assertThat(broker.stop(Duration.ofSeconds(30))).isZero();
      }
    }
  }

  private void awaitDone(int from, int to) {
    await()
        .alias("tasks %d to %d".formatted(from, to))
        .atMost(PATIENCE)
        .until(() ->
            IntStream.range(from, to)
                .allMatch(task -> log.completedAt(task) != ExecutionLog.NEVER));
  }

  private void publish(
      KafkaView view,
      BrokerSetup setup,
      int from,
      int to,
      Consumer<TaskActivation.Builder> change) {
    try (var producer = new TaskProducer(view.bootstrap(), setup.topic(), log)) {
      for (int task = from; task < to; task++) {
        TaskActivation.Builder activation = template.task(task).setProcessingDeadlineDuration(60);
        change.accept(activation);
        producer.send(task, activation.build());
      }
      producer.flush();
    }
  }

  /// The first tasks are running while the clock steps.
  private static Run behave(TaskActivation activation, int start) {
    return Run.completing(TaskTemplate.numberOf(activation) < RUNNING ? 8_000 : 10);
  }
}
