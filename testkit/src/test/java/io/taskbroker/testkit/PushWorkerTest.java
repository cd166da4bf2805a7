package io.taskbroker.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.grpc.CallOptions;
import io.grpc.ClientInterceptors;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import io.taskbroker.proto.v1.PushTaskRequest;
import io.taskbroker.proto.v1.SetTaskStatusRequest;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.proto.v1.TaskActivationStatus;
import io.taskbroker.testkit.Behaviour.Result;
import io.taskbroker.testkit.Behaviour.Run;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(240)
final class PushWorkerTest {
  private static final int TASKS = 3_000;
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final TaskTemplate template = new TaskTemplate("app", "ns", "task", 100, 7);
  private final ExecutionLog log = new ExecutionLog(TASKS);

  @ParameterizedTest
  @ValueSource(ints = {1, 64})
  void runsThousandsOfTasksConcurrentlyAndReportsEachOnce(int reportBatch) throws Exception {
    try (var broker = new FakeBroker(0);
        var worker =
            PushWorker.start(
                WorkerOptions.of(broker.address()).withReportBatch(reportBatch),
                Behaviour.completing(Duration.ofMillis(300)),
                log);
        var pusher = new Pusher(worker)) {
      pusher.push(IntStream.range(0, TASKS).mapToObj(i -> template.task(i).build()).toList());

      assertThat(worker.awaitIdle(PATIENCE)).isTrue();
      assertThat(log.completedTasks()).isEqualTo(TASKS);
      assertThat(log.finishes()).isEqualTo(TASKS);
      assertThat(broker.reports).hasSize(TASKS);
      assertThat(new HashSet<>(broker.reports)).hasSize(TASKS);
      assertThat(broker.batches)
          .allSatisfy(size -> assertThat(size).isBetween(1, reportBatch))
          .hasSizeLessThan(TASKS);
      assertThat(broker.batches.isEmpty()).isEqualTo(reportBatch == 1);
    }
    for (int i = 0; i < TASKS; i++) {
      assertThat(log.starts(i)).isEqualTo(1);
      assertThat(log.completedAt(i) - log.deliveredAt(i))
          .isGreaterThanOrEqualTo(Duration.ofMillis(300).toNanos());
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 64})
  void reportsUntilTheBrokerIsBack(int reportBatch) throws Exception {
    int port = Ports.free();
    var options = WorkerOptions.of(Ports.HOST + ":" + port).withReportBatch(reportBatch);
    try (var worker = PushWorker.start(options, Behaviour.completing(Duration.ZERO), log);
        var pusher = new Pusher(worker)) {
      pusher.push(IntStream.range(0, 500).mapToObj(i -> template.task(i).build()).toList());
      assertThat(worker.awaitIdle(Duration.ofMillis(300))).isFalse();

      try (var broker = new FakeBroker(port)) {
        broker.answer = Status.UNAVAILABLE;
        assertThat(worker.awaitIdle(Duration.ofMillis(300))).isFalse();
        broker.answer = Status.OK;

        assertThat(worker.awaitIdle(PATIENCE)).isTrue();
        assertThat(broker.reports).hasSize(500);
      }
    }
    assertThat(log.completedTasks()).isEqualTo(500);
    assertThat(log.starts()).isEqualTo(500);
  }

  @Test
  void reportsTheResultOfTheBehaviour() throws Exception {
    Behaviour behaviour =
        (_, start) ->
            switch (start) {
              case 1 -> Run.retrying(0, 4, 9);
              case 2 -> Run.silent(0);
              case 3 -> Run.failing(0);
              default -> Run.completing(0);
            };
    try (var broker = new FakeBroker(0);
        var worker = PushWorker.start(WorkerOptions.of(broker.address()), behaviour, log);
        var pusher = new Pusher(worker)) {
      TaskActivation task = template.task(5).build();
      for (int i = 0; i < 4; i++) {
        pusher.push(List.of(task));
        assertThat(worker.awaitIdle(PATIENCE)).isTrue();
      }

      var report = SetTaskStatusRequest.newBuilder().setId(task.getId());
      assertThat(broker.reports)
          .containsExactly(
              report
                  .clone()
                  .setStatus(TaskActivationStatus.TASK_ACTIVATION_STATUS_RETRY)
                  .setMaxAttempts(4)
                  .setDelayOnRetry(9)
                  .build(),
              report.clone().setStatus(TaskActivationStatus.TASK_ACTIVATION_STATUS_FAILURE).build(),
              report.setStatus(TaskActivationStatus.TASK_ACTIVATION_STATUS_COMPLETE).build());
    }
    assertThat(log.starts(5)).isEqualTo(4);
    assertThat(log.finishes(5)).isEqualTo(4);
    assertThat(log.acknowledged(Result.RETRY, 5)).isEqualTo(1);
    assertThat(log.acknowledged(Result.FAIL, 5)).isEqualTo(1);
    assertThat(log.acknowledged(Result.COMPLETE, 5)).isEqualTo(1);
  }

  @Test
  void isBusyAtItsConcurrencyLimit() throws Exception {
    try (var broker = new FakeBroker(0);
        var worker =
            PushWorker.start(
                WorkerOptions.of(broker.address()).withConcurrency(1),
                Behaviour.completing(Duration.ofMinutes(1)),
                log);
        var pusher = new Pusher(worker)) {
      pusher.push(List.of(template.task(0).build()));

      assertThatThrownBy(() -> pusher.push(List.of(template.task(1).build())))
          .hasMessageContaining("RESOURCE_EXHAUSTED: worker busy");
      assertThat(worker.running()).isEqualTo(1);
    }
  }

  @Test
  void aRefusedReportIsNotRetried() throws Exception {
    try (var broker = new FakeBroker(0);
        var worker =
            PushWorker.start(
                WorkerOptions.of(broker.address()), Behaviour.completing(Duration.ZERO), log);
        var pusher = new Pusher(worker)) {
      broker.answer = Status.INVALID_ARGUMENT;
      pusher.push(List.of(template.task(0).build()));

      assertThat(worker.awaitIdle(PATIENCE)).isTrue();
      assertThat(log.refusals()).isEqualTo(1);
      assertThat(log.completedTasks()).isZero();
    }
  }

  @Test
  void acceptsOnlySignedPushesAndSignsItsReports() throws Exception {
    var secrets = List.of("first", "second");
    try (var broker = new FakeBroker(0);
        var worker =
            PushWorker.start(
                WorkerOptions.of(broker.address()).withSecrets(secrets),
                Behaviour.completing(Duration.ZERO),
                log);
        var pusher = new Pusher(worker)) {
      TaskActivation task = template.task(0).build();
      assertThatThrownBy(() -> pusher.push(List.of(task)))
          .hasMessageContaining("UNAUTHENTICATED: Authentication failed");

      pusher.pushSigned(task, new Signer(List.of("second")));

      await().until(() -> log.completedTasks() == 1);
      SetTaskStatusRequest report = broker.reports.element();
      assertThat(broker.signatures)
          .containsExactly(
              new Signer(List.of("first"))
                  .sign(RawMethods.SET_TASK_STATUS.getFullMethodName(), report.toByteArray()));
    }
  }

  /// Push client that plays the broker.
  private static final class Pusher implements AutoCloseable {
    private final ManagedChannel channel;

    Pusher(PushWorker worker) {
      channel =
          NettyChannelBuilder.forTarget("dns:///" + worker.url().substring("http://".length()))
              .usePlaintext()
              .build();
    }

    /// Pushes all tasks concurrently, and waits for the replies.
    void push(List<TaskActivation> tasks) {
      tasks.stream().map(this::send).toList().forEach(CompletableFuture::join);
    }

    private CompletableFuture<byte[]> send(TaskActivation task) {
      var answer = new CompletableFuture<byte[]>();
      ClientCalls.asyncUnaryCall(
          channel.newCall(RawMethods.PUSH_TASK, CallOptions.DEFAULT),
          request(task),
          new StreamObserver<byte[]>() {
            @Override
            public void onNext(byte[] response) {
              answer.complete(response);
            }

            @Override
            public void onError(Throwable e) {
              answer.completeExceptionally(e);
            }

            @Override
            public void onCompleted() {}
          });
      return answer;
    }

    void pushSigned(TaskActivation task, Signer signer) {
      byte[] request = request(task);
      var headers = new Metadata();
      headers.put(
          RawMethods.SIGNATURE, signer.sign(RawMethods.PUSH_TASK.getFullMethodName(), request));
      ClientCalls.blockingUnaryCall(
          ClientInterceptors.intercept(channel, MetadataUtils.newAttachHeadersInterceptor(headers)),
          RawMethods.PUSH_TASK,
          CallOptions.DEFAULT,
          request);
    }

    private static byte[] request(TaskActivation task) {
      return PushTaskRequest.newBuilder().setTask(task).build().toByteArray();
    }

    @Override
    public void close() {
      channel.shutdownNow();
    }
  }
}
