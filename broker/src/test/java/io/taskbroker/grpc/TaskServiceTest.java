package io.taskbroker.grpc;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.Timestamp;
import io.grpc.Channel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import io.taskbroker.activation.Activation;
import io.taskbroker.activation.FailurePolicy;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.EnqueueOutcome;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.protocol.v1.EnqueueRequest;
import io.taskbroker.protocol.v1.EnqueueResponse;
import io.taskbroker.protocol.v1.EnqueueResult;
import io.taskbroker.protocol.v1.EnqueueStatus;
import io.taskbroker.protocol.v1.NewTask;
import io.taskbroker.protocol.v1.OnFailure;
import io.taskbroker.protocol.v1.RejectReason;
import io.taskbroker.protocol.v1.RetryPolicy;
import io.taskbroker.protocol.v1.Task;
import io.taskbroker.protocol.v1.TaskServiceGrpc;
import io.taskbroker.wire.Signatures;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// `TaskService`: what clients send becomes activations, and each gets its answer.
final class TaskServiceTest extends ServedTest {
  private static final Task MINIMAL = Task.newBuilder().setName("mail").build();

  @Test
  void fieldsThatTheClientLeavesOutAreSetInThePayload() throws Exception {
    Activation activation = enqueued(NewTask.newBuilder().setTask(MINIMAL)).getFirst();
    assertThat(activation.application()).isEqualTo("default");
    assertThat(activation.namespace()).isEqualTo("default");
    assertThat(activation.deadlineSeconds()).isEqualTo(30);
    assertThat(activation.leavesTombstone()).isFalse();
    TaskActivation asWorkersReadIt = TaskActivation.parseFrom(activation.payload());
    assertThat(asWorkersReadIt.getId()).isEqualTo(activation.id()).hasSize(36);
    assertThat(asWorkersReadIt.getTaskname()).isEqualTo("mail");
    assertThat(asWorkersReadIt.getApplication()).isEqualTo("default");
    assertThat(asWorkersReadIt.getNamespace()).isEqualTo("default");
    assertThat(asWorkersReadIt.getProcessingDeadlineDuration()).isEqualTo(30);
    assertThat(asWorkersReadIt.getReceivedAt().getSeconds() * 1_000)
        .isBetween(activation.receivedAt() - 1_000, activation.receivedAt());
  }

  @Test
  void whatTheClientSendsReachesTheWorkerAsItIs() throws Exception {
    Task task =
        Task.newBuilder()
            .setId("a-1")
            .setName("mail")
            .setNamespace("post")
            .setApplication("shop")
            .setArguments(ByteString.copyFromUtf8("{}"))
            .putHeaders("trace", "t")
            .setDeadlineSeconds(7)
            .setDelaySeconds(60)
            .setExpiresSeconds(90)
            .setPriority(3)
            .setRetry(
                RetryPolicy.newBuilder()
                    .setMaxAttempts(4)
                    .setOnFailure(OnFailure.ON_FAILURE_DEAD_LETTER)
                    .setAtMostOnce(true))
            .build();
    Activation activation =
        enqueued(NewTask.newBuilder().setTask(task).setRememberSeconds(5)).getFirst();
    long now = activation.receivedAt();
    assertThat(activation.id()).isEqualTo("a-1");
    assertThat(activation.delayUntil()).isEqualTo(now + 60_000);
    assertThat(activation.expiresAt()).isEqualTo(now + 90_000);
    assertThat(activation.deadlineSeconds()).isEqualTo(7);
    assertThat(activation.priority()).isEqualTo((byte) 3);
    assertThat(activation.failurePolicy()).isEqualTo(FailurePolicy.DEAD_LETTER);
    assertThat(activation.atMostOnce()).isTrue();
    assertThat(activation.tombstoneMillis(1)).isEqualTo(5_000);
    Task delivered = Task.parseFrom(activation.payload());
    assertThat(delivered.toBuilder().clearReceivedAt().build()).isEqualTo(task);
  }

  @Test
  void h21TimesAreNeverEarlyNorLate() throws Exception {
    Timestamp between =
        Timestamp.newBuilder().setSeconds(4_000_000_000L).setNanos(1_500_000).build();
    Activation activation =
        enqueued(
                NewTask.newBuilder()
                    .setTask(MINIMAL.toBuilder().setNotBefore(between).setExpiresAt(between)))
            .getFirst();
    assertThat(activation.delayUntil()).isEqualTo(4_000_000_000_002L);
    assertThat(activation.expiresAt()).isEqualTo(4_000_000_000_001L);
  }

  @Test
  void anIdempotencyKeyGivesTheSameIdAgain() throws Exception {
    NewTask.Builder task = NewTask.newBuilder().setTask(MINIMAL).setIdempotencyKey("order-1");
    List<Activation> twice = enqueued(task, task);
    assertThat(twice.get(0).id()).isEqualTo(twice.get(1).id());
    assertThat(twice.get(0).leavesTombstone()).isTrue();
  }

  @Test
  void eachInvalidTaskIsRejectedWithItsReasonAndTheOthersAreNot() {
    var server = serve(false);
    Channel channel = connect(server);
    NewTask ok = NewTask.newBuilder().setTask(MINIMAL.toBuilder().setId("ok")).build();
    List<NewTask> bad =
        List.of(
            NewTask.getDefaultInstance(),
            NewTask.newBuilder().setTask(Task.newBuilder().setId("x")).build(),
            NewTask.newBuilder().setTask(MINIMAL.toBuilder().setId("a\nb")).build(),
            NewTask.newBuilder().setTask(MINIMAL.toBuilder().setId("x".repeat(256))).build(),
            NewTask.newBuilder()
                .setTask(MINIMAL.toBuilder().setReceivedAt(Timestamp.getDefaultInstance()))
                .build(),
            NewTask.newBuilder()
                .setTask(MINIMAL.toBuilder().setRetry(RetryPolicy.newBuilder().setAttempts(1)))
                .build(),
            NewTask.newBuilder().setTask(MINIMAL.toBuilder().setPriority(5)).build(),
            NewTask.newBuilder().setTask(MINIMAL.toBuilder().setPriority(-5)).build(),
            NewTask.newBuilder()
                .setTask(MINIMAL.toBuilder().putHeaders("taskbroker-slot", "1"))
                .build(),
            NewTask.newBuilder()
                .setTask(MINIMAL.toBuilder().setArguments(ByteString.copyFrom(new byte[1 << 20])))
                .build());
    var response = send(channel, EnqueueRequest.newBuilder().addAllTasks(bad).addTasks(ok).build());
    Command.Enqueue command = (Command.Enqueue) intake.next();
    assertThat(command.activations()).extracting(Activation::id).containsExactly("ok");
    command.reply().done(List.of(EnqueueOutcome.ALREADY_EXISTS));
    List<EnqueueResult> results = resultsOf(response);
    assertThat(results).hasSize(bad.size() + 1);
    assertThat(results.subList(0, bad.size()))
        .allSatisfy(result -> {
          assertThat(result.getReason()).isEqualTo(RejectReason.REJECT_REASON_INVALID);
          assertThat(result.getMessage()).isNotEmpty();
        });
    assertThat(results.getLast().getStatus())
        .isEqualTo(EnqueueStatus.ENQUEUE_STATUS_ALREADY_EXISTS);
    assertThat(results.getLast().getId()).isEmpty();
  }

  @Test
  void aStreamIsAnsweredInTheOrderOfItsRequests() throws Exception {
    var server = serve(false);
    var answers = new Answers();
    StreamObserver<EnqueueRequest> requests =
        TaskServiceGrpc.newStub(connect(server)).enqueueStream(answers);
    requests.onNext(request("a"));
    requests.onNext(request("b", "c"));
    requests.onCompleted();
    Command.Enqueue first = (Command.Enqueue) intake.next();
    Command.Enqueue second = (Command.Enqueue) intake.next();
    second.reply().done(Collections.nCopies(2, EnqueueOutcome.ACCEPTED));
    first.reply().done(List.of(EnqueueOutcome.FULL));
    assertThat(answers.next().getResults(0).getReason()).isEqualTo(RejectReason.REJECT_REASON_FULL);
    assertThat(answers.next().getResultsCount()).isEqualTo(2);
    assertThat(answers.end()).isEqualTo(Status.Code.OK);
  }

  @Test
  void g7ALongStreamHoldsNoMoreThanItsUnansweredRequests() throws Exception {
    var server = serve(false);
    var answers = new Answers();
    StreamObserver<EnqueueRequest> requests =
        TaskServiceGrpc.newStub(connect(server)).enqueueStream(answers);
    NewTask large =
        NewTask.newBuilder()
            .setTask(MINIMAL.toBuilder().setArguments(ByteString.copyFrom(new byte[900_000])))
            .build();
    EnqueueRequest request = EnqueueRequest.newBuilder().addTasks(large).build();
    for (int i = 0; i < 100; i++) {
      requests.onNext(request);
      ((Command.Enqueue) intake.next()).reply().done(List.of(EnqueueOutcome.ACCEPTED));
      assertThat(answers.next().getResultsCount()).isOne();
    }
    requests.onCompleted();
    assertThat(answers.end()).isEqualTo(Status.Code.OK);
  }

  @Test
  void g7AFloodOfRequestsEndsTheStream() throws Exception {
    var server = serve(false);
    var answers = new Answers();
    StreamObserver<EnqueueRequest> requests =
        TaskServiceGrpc.newStub(connect(server)).enqueueStream(answers);
    for (int i = 0; i <= EnqueueStream.MAX_UNANSWERED; i++) {
      requests.onNext(request("t" + i));
    }
    assertThat(answers.end()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
  }

  @Test
  void anUnavailableBrokerEndsTheStream() throws Exception {
    var server = serve(false);
    var answers = new Answers();
    TaskServiceGrpc.newStub(connect(server)).enqueueStream(answers).onNext(request("a"));
    ((Command.Enqueue) intake.next()).unavailable("the broker is stopping");
    assertThat(answers.end()).isEqualTo(Status.Code.UNAVAILABLE);
  }

  @Test
  void aStreamWithoutAFreshSignatureIsRefused() throws Exception {
    var server = serve(false, "secret");
    assertThat(streamWith(server, null, 0)).isEqualTo(Status.Code.UNAUTHENTICATED);
    assertThat(streamWith(server, "other", System.currentTimeMillis()))
        .isEqualTo(Status.Code.UNAUTHENTICATED);
    assertThat(streamWith(server, "secret", System.currentTimeMillis() - 600_000))
        .isEqualTo(Status.Code.UNAUTHENTICATED);
    assertThat(streamWith(server, "secret", System.currentTimeMillis())).isEqualTo(Status.Code.OK);
  }

  private Status.Code streamWith(GrpcServer server, @Nullable String secret, long signedAt)
      throws InterruptedException {
    var headers = new Metadata();
    if (secret != null) {
      String at = Long.toString(signedAt);
      headers.put(StreamMethod.SIGNED_AT, at);
      headers.put(
          Metadata.Key.of(Signatures.HEADER, Metadata.ASCII_STRING_MARSHALLER),
          new Signatures(List.of(secret))
              .forPath("/taskbroker.v1.TaskService/EnqueueStream")
              .sign(at.getBytes(java.nio.charset.StandardCharsets.US_ASCII)));
    }
    var answers = new Answers();
    TaskServiceGrpc.newStub(connect(server))
        .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers))
        .enqueueStream(answers)
        .onCompleted();
    return answers.end();
  }

  private List<Activation> enqueued(NewTask.Builder... tasks) {
    var server = serve(false);
    var request = EnqueueRequest.newBuilder();
    for (NewTask.Builder task : tasks) {
      request.addTasks(task);
    }
    var response = send(connect(server), request.build());
    Command.Enqueue command = (Command.Enqueue) intake.next();
    command.reply().done(Collections.nCopies(tasks.length, EnqueueOutcome.ACCEPTED));
    assertThat(resultsOf(response))
        .extracting(EnqueueResult::getStatus)
        .containsOnly(EnqueueStatus.ENQUEUE_STATUS_ACCEPTED);
    return command.activations();
  }

  /// Sends a request; its answer arrives later.
  private static Future<EnqueueResponse> send(Channel channel, EnqueueRequest request) {
    var response =
        new FutureTask<>(() -> TaskServiceGrpc.newBlockingStub(channel).enqueue(request));
    Thread.ofVirtual().start(response);
    return response;
  }

  private static List<EnqueueResult> resultsOf(Future<EnqueueResponse> response) {
    try {
      return response.get(60, SECONDS).getResultsList();
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  private static EnqueueRequest request(String... ids) {
    var request = EnqueueRequest.newBuilder();
    for (String id : ids) {
      request.addTasks(NewTask.newBuilder().setTask(MINIMAL.toBuilder().setId(id)));
    }
    return request.build();
  }

  private static final class Answers implements StreamObserver<EnqueueResponse> {
    private final BlockingQueue<Object> received = new LinkedBlockingQueue<>();

    @Override
    public void onNext(EnqueueResponse response) {
      received.add(response);
    }

    @Override
    public void onError(Throwable error) {
      received.add(Status.fromThrowable(error));
    }

    @Override
    public void onCompleted() {
      received.add(Status.OK);
    }

    EnqueueResponse next() throws InterruptedException {
      return (EnqueueResponse) received.poll(60, SECONDS);
    }

    Status.Code end() throws InterruptedException {
      return ((Status) received.poll(60, SECONDS)).getCode();
    }
  }
}
