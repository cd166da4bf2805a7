package io.taskbroker.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.proto.v1.ConsumerServiceGrpc;
import io.taskbroker.proto.v1.FetchNextTask;
import io.taskbroker.proto.v1.GetTaskRequest;
import io.taskbroker.proto.v1.GetTaskResponse;
import io.taskbroker.proto.v1.SetTaskStatusRequest;
import io.taskbroker.proto.v1.SetTaskStatusResponse;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.proto.v1.TaskActivationStatus;
import io.taskbroker.testkit.Behaviour.Result;
import io.taskbroker.testkit.Behaviour.Run;
import io.taskbroker.testkit.ExecutionLog;
import io.taskbroker.testkit.PullWorker;
import io.taskbroker.testkit.TaskProducer;
import io.taskbroker.testkit.TaskTemplate;
import io.taskbroker.testkit.WorkerOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HexFormat;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// Pull mode end to end with a real process that batches status updates: tasks complete, are
/// retried after their delay, and end as dead letters; the reply to a report carries the next task,
/// also with batching (W4).
@Timeout(240)
@ExtendWith(SharedKafka.class)
final class PullTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int TASKS = 500;
  private static final int RETRY_SECONDS = 1;

  private final ExecutionLog log = new ExecutionLog(TASKS);
  private final TaskTemplate template = new TaskTemplate(BrokerSetup.APPLICATION, "n", "t", 100, 1);

  @TempDir private Path dir;

  /// Outcome of a task, by its number.
  private enum Fate {
    COMPLETES,
    RETRIED_ONCE,
    FAILS,
    RETRIED_TOO_OFTEN;

    static Fate of(int task) {
      return switch (task % 25) {
        case 3 -> RETRIED_ONCE;
        case 7 -> FAILS;
        case 11 -> RETRIED_TOO_OFTEN;
        default -> COMPLETES;
      };
    }
  }

  @Test
  void w4EveryTaskMeetsItsFate(KafkaView view) throws Exception {
    BrokerSetup setup =
        BrokerSetup.pull(dir, "pull", view.bootstrap())
            .with("batch_status_updates", "true")
            .with("status_update_batch_size", "50")
            .with("status_update_interval_ms", "20");
    view.createTopics(setup, 2);
    try (var broker = setup.start().awaitServing(PATIENCE)) {
      assertNextTaskComesWithTheAnswer(view, setup);
      publish(view, setup);
      try (var worker =
          PullWorker.start(
              WorkerOptions.of(setup.address()).withConcurrency(20),
              BrokerSetup.APPLICATION,
              PullTest::behave,
              log)) {
        await().atMost(PATIENCE).untilAsserted(() -> assertDeadLetters(view, setup));
        await().atMost(PATIENCE).until(() -> log.completedTasks() == tasksThatComplete());
        assertThat(worker.awaitIdle(PATIENCE)).isTrue();
        await().until(() -> setup.rows() == 0);
        await().untilAsserted(() -> view.assertAllCommitted(setup));
        assertRuns();
      }
      assertThat(broker.stop(Duration.ofSeconds(30))).isZero();
    }
  }

  /// Three tasks in order, by one `GetTask` call and the replies to two reports.
  private void assertNextTaskComesWithTheAnswer(KafkaView view, BrokerSetup setup)
      throws Exception {
    for (int task = 0; task < 3; task++) {
      view.publish(setup.topic(), template.task(task).build().toByteArray());
    }
    try (var calls = new RawCalls(setup)) {
      await().until(() -> setup.rows() == 3);
      // A row is seen a moment before the broker knows that it is committed.
      byte[] first = answer(await().until(() -> next(calls), PullTest::isTask));
      TaskActivation task = GetTaskResponse.parseFrom(first).getTask();
      for (int number = 0; number < 3; number++) {
        assertThat(TaskTemplate.numberOf(task)).isEqualTo(number);
        SetTaskStatusResponse next =
            SetTaskStatusResponse.parseFrom(
                answer(
                    calls.call(
                        ConsumerServiceGrpc.getSetTaskStatusMethod(),
                        completed(task).toByteArray(),
                        null)));
        assertThat(next.hasTask()).isEqualTo(number < 2);
        task = next.getTask();
      }
    }
    assertThat(setup.rows()).isZero();
  }

  private static RawCalls.Answer next(RawCalls calls) {
    GetTaskRequest request =
        GetTaskRequest.newBuilder().setApplication(BrokerSetup.APPLICATION).build();
    return calls.call(ConsumerServiceGrpc.getGetTaskMethod(), request.toByteArray(), null);
  }

  private static boolean isTask(RawCalls.Answer answer) {
    return answer.code() != io.grpc.Status.Code.NOT_FOUND;
  }

  private static SetTaskStatusRequest completed(TaskActivation task) {
    return SetTaskStatusRequest.newBuilder()
        .setId(task.getId())
        .setStatus(TaskActivationStatus.TASK_ACTIVATION_STATUS_COMPLETE)
        .setFetchNextTask(FetchNextTask.newBuilder().setApplication(BrokerSetup.APPLICATION))
        .build();
  }

  private static byte[] answer(RawCalls.Answer answer) {
    assertThat(answer.code()).as(answer.text()).isEqualTo(io.grpc.Status.Code.OK);
    return HexFormat.of().parseHex(answer.text());
  }

  private void publish(KafkaView kafka, BrokerSetup setup) {
    try (var producer = new TaskProducer(kafka.bootstrap(), setup.topic(), log)) {
      for (int task = 0; task < TASKS; task++) {
        producer.send(task, template.deadLettered(task, 2).build());
      }
      producer.flush();
    }
  }

  /// Worker behaviour: requests a retry while there are attempts left, then fails.
  private static Run behave(TaskActivation activation, int start) {
    return switch (Fate.of(TaskTemplate.numberOf(activation))) {
      case COMPLETES -> Run.completing(5);
      case RETRIED_ONCE -> start == 1 ? Run.retrying(5, 2, RETRY_SECONDS) : Run.completing(5);
      case FAILS -> Run.failing(5);
      case RETRIED_TOO_OFTEN -> start == 1 ? Run.retrying(5, 2, RETRY_SECONDS) : Run.failing(5);
    };
  }

  private static int tasksThatComplete() {
    return (int) IntStream.range(0, TASKS).filter(task -> !isDead(task)).count();
  }

  private static boolean isDead(int task) {
    return Fate.of(task) == Fate.FAILS || Fate.of(task) == Fate.RETRIED_TOO_OFTEN;
  }

  private static void assertDeadLetters(KafkaView view, BrokerSetup setup) throws Exception {
    var dead = new TreeSet<Integer>();
    for (ConsumerRecord<byte[], byte[]> letter : view.read(setup.deadLetters())) {
      TaskActivation activation = TaskActivation.parseFrom(letter.value());
      int task = TaskTemplate.numberOf(activation);
      assertThat(dead.add(task)).as("task %d is dead for the first time", task).isTrue();
      assertThat(letter.key()).isNull();
      assertThat(KafkaView.headers(letter))
          .containsEntry("taskbroker-topic", setup.topic())
          .containsKey("taskbroker-reason");
      assertThat(activation.getRetryState().getAttempts())
          .isEqualTo(Fate.of(task) == Fate.FAILS ? 0 : 1);
    }
    assertThat(dead).allMatch(PullTest::isDead).hasSize(TASKS - tasksThatComplete());
  }

  private void assertRuns() {
    for (int task = 0; task < TASKS; task++) {
      Fate fate = Fate.of(task);
      boolean retried = fate == Fate.RETRIED_ONCE || fate == Fate.RETRIED_TOO_OFTEN;
      assertThat(log.starts(task)).as("runs of task %d", task).isEqualTo(retried ? 2 : 1);
      assertThat(log.acknowledged(Result.RETRY, task)).isEqualTo(retried ? 1 : 0);
      assertThat(log.acknowledged(Result.FAIL, task)).isEqualTo(isDead(task) ? 1 : 0);
      if (fate == Fate.RETRIED_ONCE) {
        assertThat(Duration.ofNanos(log.completedAt(task) - log.deliveredAt(task)))
            .as("from the first run of task %d to the end of its second one", task)
            .isGreaterThanOrEqualTo(Duration.ofSeconds(RETRY_SECONDS));
      }
    }
    assertThat(log.refusals()).isZero();
  }
}
