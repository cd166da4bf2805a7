package io.taskbroker.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.grpc.Status;
import io.taskbroker.proto.v1.ConsumerServiceGrpc;
import io.taskbroker.proto.v1.GetTaskRequest;
import io.taskbroker.proto.v1.GetTaskResponse;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.testkit.Behaviour;
import io.taskbroker.testkit.ExecutionLog;
import io.taskbroker.testkit.PullWorker;
import io.taskbroker.testkit.TaskProducer;
import io.taskbroker.testkit.TaskTemplate;
import io.taskbroker.testkit.WorkerOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HexFormat;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// Pull mode with an application, and a namespace of another one, that no worker requests: more of
/// their tasks than any limit allows precede the others, which are still delivered; later they are
/// delivered in order (G8, H13).
@Timeout(240)
@ExtendWith(SharedKafka.class)
final class PullIsolationTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int STALE = 2_100;
  private static final int WANTED = 500;
  private static final int NICHE = 10;

  private final ExecutionLog log = new ExecutionLog(WANTED);
  private final ExecutionLog staleLog = new ExecutionLog(STALE);

  @TempDir private Path dir;

  @Test
  void h13AnUnrequestedApplicationBlocksNoOther(KafkaView view) throws Exception {
    BrokerSetup setup =
        BrokerSetup.pull(dir, "unwanted", view.bootstrap())
            .withStore("max_pending_count: 50, max_processing_count: 50, max_delay_count: 50");
    view.createTopics(setup, 1);
    publish(view, setup);
    try (var broker = setup.start().awaitServing(PATIENCE);
        var calls = new RawCalls(setup)) {
      try (var worker = worker(setup, "wanted", log)) {
        await().atMost(PATIENCE).until(() -> log.completedTasks() == WANTED);
        assertThat(worker.awaitIdle(PATIENCE)).isTrue();
      }
      await().atMost(PATIENCE).untilAsserted(() -> view.assertAllCommitted(setup));
      assertThat(setup.rows()).isEqualTo(STALE + NICHE);

      GetTaskRequest niche =
          GetTaskRequest.newBuilder().setApplication("mixed").setNamespace("niche").build();
      for (int number = 0; number < NICHE; number++) {
        assertThat(get(calls, niche).getTaskname()).isEqualTo("niche" + number);
      }
      assertThat(call(calls, niche).code()).isEqualTo(Status.Code.NOT_FOUND);
      TaskActivation oldest = get(calls, GetTaskRequest.getDefaultInstance());
      assertThat(oldest.getApplication()).isEqualTo("unwanted");
      assertThat(TaskTemplate.numberOf(oldest)).isZero();

      try (var worker = worker(setup, "unwanted", staleLog)) {
        await().atMost(PATIENCE).until(() -> staleLog.completedTasks() == STALE - 1);
        assertThat(worker.awaitIdle(PATIENCE)).isTrue();
      }
      assertThat(IntStream.range(1, STALE).mapToLong(staleLog::deliveredAt).toArray())
          .as("when each was given out to the worker")
          .isSorted();
      assertThat(broker.stop(Duration.ofSeconds(30))).isZero();
    }
  }

  private static PullWorker worker(BrokerSetup setup, String application, ExecutionLog log) {
    return PullWorker.start(
        WorkerOptions.of(setup.address()).withConcurrency(20),
        application,
        Behaviour.completing(Duration.ofMillis(1)),
        log);
  }

  private static TaskActivation get(RawCalls calls, GetTaskRequest request) throws Exception {
    RawCalls.Answer answer = call(calls, request);
    assertThat(answer.code()).as(answer.text()).isEqualTo(Status.Code.OK);
    return GetTaskResponse.parseFrom(HexFormat.of().parseHex(answer.text())).getTask();
  }

  private static RawCalls.Answer call(RawCalls calls, GetTaskRequest request) {
    return calls.call(ConsumerServiceGrpc.getGetTaskMethod(), request.toByteArray(), null);
  }

  /// Publishes the unrequested application first, then the requested one, interleaved with the
  /// namespace.
  private void publish(KafkaView view, BrokerSetup setup) {
    var unwanted = new TaskTemplate("unwanted", "n", "t", 100, 1);
    var wanted = new TaskTemplate("wanted", "n", "t", 100, 2);
    var mixed = new TaskTemplate("mixed", "niche", "t", 100, 3);
    try (var producer = new TaskProducer(view.bootstrap(), setup.topic(), log)) {
      for (int task = 0; task < STALE; task++) {
        producer.send(unwanted.task(task).build().toByteArray());
      }
      for (int task = 0; task < WANTED; task++) {
        producer.send(task, wanted.task(task).build());
      }
      for (int task = 0; task < NICHE; task++) {
        producer.send(mixed.task(task).setTaskname("niche" + task).build().toByteArray());
      }
      producer.flush();
    }
  }
}
