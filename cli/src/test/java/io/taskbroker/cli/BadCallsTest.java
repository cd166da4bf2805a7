package io.taskbroker.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.taskbroker.cli.RawCalls.Answer;
import io.taskbroker.proto.v1.ConsumerServiceGrpc;
import io.taskbroker.proto.v1.FetchNextTask;
import io.taskbroker.proto.v1.GetTaskRequest;
import io.taskbroker.proto.v1.SetBatchActivationStatusRequest;
import io.taskbroker.proto.v1.SetTaskStatusRequest;
import io.taskbroker.testkit.Behaviour;
import io.taskbroker.testkit.BrokerProcess;
import io.taskbroker.testkit.ExecutionLog;
import io.taskbroker.testkit.Ports;
import io.taskbroker.testkit.PullWorker;
import io.taskbroker.testkit.PushWorker;
import io.taskbroker.testkit.TaskProducer;
import io.taskbroker.testkit.TaskTemplate;
import io.taskbroker.testkit.WorkerOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// Calls that real processes refuse, with the codes and texts of reference-spec 2.7; they affect no
/// other caller.
@Timeout(240)
@ExtendWith(SharedKafka.class)
final class BadCallsTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final String SECRET = "a long secret value";
  private static final String OLD_SECRET = "the one before";
  private static final String SECRETS = "[\"%s\", \"%s\"]".formatted(SECRET, OLD_SECRET);
  private static final MethodDescriptor<?, ?> GET = ConsumerServiceGrpc.getGetTaskMethod();
  private static final MethodDescriptor<?, ?> SET = ConsumerServiceGrpc.getSetTaskStatusMethod();
  private static final MethodDescriptor<?, ?> SET_BATCH =
      ConsumerServiceGrpc.getSetBatchActivationStatusMethod();
  private static final Answer NOTHING = new Answer(Status.Code.OK, "");
  private static final Answer UNAUTHENTICATED =
      new Answer(Status.Code.UNAUTHENTICATED, "Authentication failed");
  private static final Answer NO_TASKS =
      new Answer(Status.Code.NOT_FOUND, "No pending activations");

  @TempDir private Path dir;

  @Test
  void badCallsGetTheirCodesAndGoodWorkersWork(KafkaView view) throws Exception {
    var pushLog = new ExecutionLog(100);
    var pullLog = new ExecutionLog(100);
    int workerPort = Ports.free();
    BrokerSetup push =
        BrokerSetup.push(dir, "push-calls", view.bootstrap(), "http://127.0.0.1:" + workerPort)
            .with("grpc_shared_secret", SECRETS);
    BrokerSetup pull =
        BrokerSetup.pull(dir, "pull-calls", view.bootstrap()).with("grpc_shared_secret", SECRETS);
    view.createTopics(push, 1);
    view.createTopics(pull, 1);
    try (var pushing = push.start();
        var pulling = pull.start();
        var toPush = new RawCalls(push);
        var toPull = new RawCalls(pull)) {
      pushing.awaitServing(PATIENCE);
      pulling.awaitServing(PATIENCE);
      for (RawCalls calls : List.of(toPush, toPull)) {
        assertStatuses(calls);
        assertSignatures(calls);
        assertGarbage(calls);
      }
      assertThat(toPush.call(GET, GetTaskRequest.getDefaultInstance(), SECRET))
          .isEqualTo(
              new Answer(
                  Status.Code.PERMISSION_DENIED, "Cannot call while broker is in PUSH mode"));
      assertNothingToPull(toPull);
      await()
          .untilAsserted(() ->
              assertThat(push.output())
                  .as("log lines that any caller could trigger")
                  .filteredOn(line -> line.contains("Authentication"))
                  .hasSize(2) // one of each method
                  .anyMatch(line -> line.contains("/SetTaskStatus"))
                  .anyMatch(line -> line.contains("/GetTask")));

      try (var worker =
          PushWorker.start(
              options(push).onPort(workerPort), Behaviour.completing(Duration.ZERO), pushLog)) {
        assertWorks(view, push, pushing, pushLog);
        assertThat(worker.awaitIdle(PATIENCE)).isTrue();
      }
      try (var worker =
          PullWorker.start(
              options(pull).withConcurrency(4),
              BrokerSetup.APPLICATION,
              Behaviour.completing(Duration.ZERO),
              pullLog)) {
        assertWorks(view, pull, pulling, pullLog);
        assertThat(worker.awaitIdle(PATIENCE)).isTrue();
      }
    }
  }

  private static void assertStatuses(RawCalls calls) {
    assertThat(calls.call(SET, status(99), SECRET))
        .satisfies(answer -> assertThat(answer.code()).isEqualTo(Status.Code.INVALID_ARGUMENT))
        .satisfies(answer -> assertThat(answer.text()).startsWith("Unable to deserialize status:"));
    List<String> names = List.of("Unspecified", "Pending", "Processing");
    for (int number = 0; number < names.size(); number++) {
      var refused =
          new Answer(
              Status.Code.INVALID_ARGUMENT,
              "Invalid status, expects 3 (Failure), 4 (Retry), or 5 (Complete), but got: "
                  + names.get(number));
      assertThat(calls.call(SET, status(number), SECRET)).isEqualTo(refused);
      assertThat(calls.call(SET_BATCH, batch(status(5), status(number)), SECRET))
          .isEqualTo(refused);
    }
    for (int number = 3; number <= 5; number++) {
      assertThat(calls.call(SET, status(number), SECRET)).as("unknown id").isEqualTo(NOTHING);
    }
    assertThat(calls.call(SET_BATCH, batch(status(5), status(3)), SECRET)).isEqualTo(NOTHING);
    assertThat(calls.call(SET_BATCH, batch(), SECRET)).isEqualTo(NOTHING);
    SetTaskStatusRequest andNext =
        status(5).toBuilder().setFetchNextTask(FetchNextTask.getDefaultInstance()).build();
    assertThat(calls.call(SET, andNext, SECRET)).as("no next task").isEqualTo(NOTHING);
  }

  private static void assertSignatures(RawCalls calls) {
    byte[] request = status(5).toByteArray();
    String right = RawCalls.sign(SET, request, SECRET);
    assertThat(calls.call(SET, request, null)).as("missing").isEqualTo(UNAUTHENTICATED);
    assertThat(calls.call(SET, request, "")).as("empty").isEqualTo(UNAUTHENTICATED);
    assertThat(calls.call(SET, request, "no hex")).as("no hex").isEqualTo(UNAUTHENTICATED);
    assertThat(calls.call(SET, status(5), "guessed")).as("secret").isEqualTo(UNAUTHENTICATED);
    assertThat(calls.call(SET, status(4).toByteArray(), right))
        .as("of another message")
        .isEqualTo(UNAUTHENTICATED);
    assertThat(calls.call(GET, request, right)).as("of another method").isEqualTo(UNAUTHENTICATED);
    assertThat(calls.call(SET, request, right)).as("right").isEqualTo(NOTHING);
    assertThat(calls.call(SET, status(5), OLD_SECRET)).as("rotated").isEqualTo(NOTHING);
  }

  private static void assertGarbage(RawCalls calls) {
    byte[] garbage = {0x0F, 1, 2, 3};
    assertThat(calls.call(SET, garbage, RawCalls.sign(SET, garbage, SECRET)).code())
        .isEqualTo(Status.Code.INVALID_ARGUMENT);
    byte[] huge = new byte[(4 << 20) + 1];
    assertThat(calls.call(SET, huge, null).code())
        .as("over the limit of 4 MiB")
        .isIn(Status.Code.RESOURCE_EXHAUSTED, Status.Code.OUT_OF_RANGE);
  }

  private static void assertNothingToPull(RawCalls calls) {
    assertThat(calls.call(GET, GetTaskRequest.getDefaultInstance(), SECRET)).isEqualTo(NO_TASKS);
    assertThat(calls.call(GET, GetTaskRequest.newBuilder().setApplication("none").build(), SECRET))
        .isEqualTo(NO_TASKS);
    assertThat(calls.call(GET, GetTaskRequest.newBuilder().setNamespace("n").build(), SECRET))
        .as("a namespace without an application")
        .isEqualTo(NO_TASKS);
  }

  private static void assertWorks(
      KafkaView kafka, BrokerSetup setup, BrokerProcess broker, ExecutionLog log) {
    var template = new TaskTemplate(BrokerSetup.APPLICATION, "n", "t", 100, 1);
    try (var producer = new TaskProducer(kafka.bootstrap(), setup.topic(), log)) {
      for (int task = 0; task < log.tasks(); task++) {
        producer.send(task, template.task(task).build());
      }
      producer.flush();
    }
    await().atMost(PATIENCE).until(() -> log.completedTasks() == log.tasks());
    assertThat(log.refusals()).isZero();
    assertThat(broker.isAlive()).isTrue();
  }

  private static WorkerOptions options(BrokerSetup broker) {
    return WorkerOptions.of(broker.address()).withSecrets(List.of(SECRET));
  }

  private static SetTaskStatusRequest status(int number) {
    return SetTaskStatusRequest.newBuilder().setId("nobody").setStatusValue(number).build();
  }

  private static SetBatchActivationStatusRequest batch(SetTaskStatusRequest... updates) {
    return SetBatchActivationStatusRequest.newBuilder().addAllUpdates(List.of(updates)).build();
  }
}
