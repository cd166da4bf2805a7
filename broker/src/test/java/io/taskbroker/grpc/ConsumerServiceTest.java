package io.taskbroker.grpc;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.Command.Update;
import io.taskbroker.proto.v1.ConsumerServiceGrpc;
import io.taskbroker.proto.v1.FetchNextTask;
import io.taskbroker.proto.v1.GetTaskRequest;
import io.taskbroker.proto.v1.GetTaskResponse;
import io.taskbroker.proto.v1.SetBatchActivationStatusRequest;
import io.taskbroker.proto.v1.SetBatchActivationStatusResponse;
import io.taskbroker.proto.v1.SetTaskStatusRequest;
import io.taskbroker.proto.v1.SetTaskStatusResponse;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Each row of reference-spec 2.7, by the generated client.
final class ConsumerServiceTest extends ServedTest {
  private static final String NOT_FINAL =
      "Invalid status, expects 3 (Failure), 4 (Retry), or 5 (Complete), but got: ";

  @Test
  void getTaskIsDeniedInPushMode() {
    var worker = worker(serve(true));

    assertFails(
        () -> worker.getTask(GetTaskRequest.getDefaultInstance()),
        Status.Code.PERMISSION_DENIED,
        "Cannot call while broker is in PUSH mode");
    assertThat(intake.requests).isEmpty();
  }

  @Test
  void getTaskFindsNothing() {
    intake.answerWithNothing();
    var worker = worker(serve(false));

    assertFails(
        () -> worker.getTask(GetTaskRequest.getDefaultInstance()),
        Status.Code.NOT_FOUND,
        "No pending activations");
  }

  @Test
  void getTaskOfANamespaceWithoutApplicationFindsNothing() {
    intake.answerWith(ACTIVATION);
    var worker = worker(serve(false));

    assertFails(
        () -> worker.getTask(GetTaskRequest.newBuilder().setNamespace("n").build()),
        Status.Code.NOT_FOUND,
        "No pending activations");
    assertThat(intake.requests).isEmpty();
  }

  @Test
  void getTaskPassesItsFiltersOn() {
    intake.answerWith(ACTIVATION);
    var worker = worker(serve(false));

    worker.getTask(GetTaskRequest.getDefaultInstance());
    worker.getTask(GetTaskRequest.newBuilder().setApplication("").build());
    worker.getTask(GetTaskRequest.newBuilder().setApplication("a").setNamespace("n").build());

    assertThat(intake.requests)
        .extracting(request -> (Command.Claim) request)
        .extracting(claim -> claim.application() + "/" + claim.namespace())
        .containsExactly("null/null", "/null", "a/n");
  }

  @Test
  void getTaskDeliversTheBytesOfTheActivation() {
    intake.answerWith(ACTIVATION);
    var worker = worker(serve(false));

    GetTaskResponse response = worker.getTask(GetTaskRequest.getDefaultInstance());

    assertThat(response.getTask().toByteArray()).isEqualTo(ACTIVATION);
    assertThat(response.getTask().getUnknownFields().hasField(99)).isTrue();
  }

  @Test
  void isUnavailableWhenTheEngineIs() {
    intake.answer = request -> request.unavailable("The broker starts");
    var worker = worker(serve(false));

    assertFails(
        () -> worker.getTask(GetTaskRequest.getDefaultInstance()),
        Status.Code.UNAVAILABLE,
        "The broker starts");
    assertFails(
        () -> worker.setTaskStatus(update("x", 5).build()),
        Status.Code.UNAVAILABLE,
        "The broker starts");
    assertFails(
        () -> worker.setBatchActivationStatus(batch(update("x", 5))),
        Status.Code.UNAVAILABLE,
        "The broker starts");
  }

  @Test
  void setTaskStatusReportsWithoutNext() throws InterruptedException {
    intake.answerWithNothing();
    var worker = worker(serve(false));

    SetTaskStatusResponse response = worker.setTaskStatus(update("x", 5).build());

    assertThat(response).isEqualTo(SetTaskStatusResponse.getDefaultInstance());
    Command.Report report = report();
    assertThat(report.next()).isNull();
    assertThat(report.updates()).containsExactly(complete("x"));
  }

  @Test
  void absentRetryFieldsAreDistinguished() throws InterruptedException {
    intake.answerWithNothing();
    var worker = worker(serve(false));

    worker.setTaskStatus(update("x", 4).build());
    worker.setTaskStatus(update("x", 4).setMaxAttempts(0).setDelayOnRetry(0).build());
    worker.setTaskStatus(update("x", 4).setMaxAttempts(-1).setDelayOnRetry(-1).build());

    assertThat(report().updates()).containsExactly(retry(-1, -1));
    assertThat(report().updates()).containsExactly(retry(0, 0));
    assertThat(report().updates()).containsExactly(retry(4_294_967_295L, Long.MAX_VALUE));
  }

  @Test
  void setTaskStatusFetchesTheNext() throws InterruptedException {
    intake.answerWith(ACTIVATION);
    var worker = worker(serve(false));

    SetTaskStatusResponse response =
        worker.setTaskStatus(
            update("x", 3)
                .setFetchNextTask(FetchNextTask.newBuilder().setApplication("a").setNamespace("n"))
                .build());

    assertThat(response.getTask().toByteArray()).isEqualTo(ACTIVATION);
    assertThat(report().next())
        .extracting(next -> next.application() + "/" + next.namespace())
        .isEqualTo("a/n");
  }

  @Test
  void setTaskStatusSucceedsWithoutANextTask() throws InterruptedException {
    intake.answerWithNothing();
    var worker = worker(serve(false));

    SetTaskStatusResponse response =
        worker.setTaskStatus(
            update("x", 5).setFetchNextTask(FetchNextTask.getDefaultInstance()).build());

    assertThat(response).isEqualTo(SetTaskStatusResponse.getDefaultInstance());
    assertThat(report().next()).isNotNull();
  }

  @Test
  void setTaskStatusIgnoresTheNextInPushMode() throws InterruptedException {
    intake.answerWithNothing();
    var worker = worker(serve(true));

    SetTaskStatusResponse response =
        worker.setTaskStatus(
            update("x", 5).setFetchNextTask(FetchNextTask.getDefaultInstance()).build());

    assertThat(response).isEqualTo(SetTaskStatusResponse.getDefaultInstance());
    assertThat(report().next()).isNull();
  }

  @Test
  void setTaskStatusFetchesNothingOfANamespaceWithoutApplication() throws InterruptedException {
    intake.answerWithNothing();
    var worker = worker(serve(false));

    worker.setTaskStatus(
        update("x", 5).setFetchNextTask(FetchNextTask.newBuilder().setNamespace("n")).build());

    assertThat(report().next()).isNull();
  }

  @ParameterizedTest
  @CsvSource({"0, Unspecified", "1, Pending", "2, Processing"})
  void rejectsANonFinalStatus(int status, String name) {
    var worker = worker(serve(false));

    assertFails(
        () -> worker.setTaskStatus(update("x", status).build()),
        Status.Code.INVALID_ARGUMENT,
        NOT_FINAL + name);
    assertFails(
        () -> worker.setBatchActivationStatus(batch(update("x", 5), update("y", status))),
        Status.Code.INVALID_ARGUMENT,
        NOT_FINAL + name);
    assertThat(intake.requests).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"6", "-1", "2147483647"})
  void rejectsAnUnknownStatus(int status) {
    var worker = worker(serve(false));

    assertThat(failure(() -> worker.setTaskStatus(update("x", status).build())).getDescription())
        .startsWith("Unable to deserialize status:");
    Status batch =
        failure(() -> worker.setBatchActivationStatus(batch(update("x", 5), update("y", status))));
    assertThat(batch.getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(batch.getDescription()).startsWith("Unable to deserialize status:");
    assertThat(intake.requests).isEmpty();
  }

  @Test
  void setBatchReportsAllAtOnce() throws InterruptedException {
    intake.answerWithNothing();
    var worker = worker(serve(true));

    SetBatchActivationStatusResponse response =
        worker.setBatchActivationStatus(
            batch(
                update("x", 5).setFetchNextTask(FetchNextTask.getDefaultInstance()),
                update("x", 4).setDelayOnRetry(7),
                update("z", 3)));

    assertThat(response).isEqualTo(SetBatchActivationStatusResponse.getDefaultInstance());
    Command.Report report = report();
    assertThat(report.next()).isNull();
    assertThat(report.updates())
        .containsExactly(
            complete("x"),
            retry(-1, 7),
            new Update("z", io.taskbroker.activation.Status.FAILURE, -1, -1));
  }

  @Test
  void emptySetBatchSucceeds() {
    var worker = worker(serve(false));

    assertThat(worker.setBatchActivationStatus(batch()))
        .isEqualTo(SetBatchActivationStatusResponse.getDefaultInstance());
    assertThat(intake.requests).isEmpty();
  }

  @Test
  void setBatchIsBounded() throws InterruptedException {
    intake.answerWithNothing();
    var limits = new GrpcOptions.Limits(4 << 20, 3, 100, 100);
    var worker = worker(serve(new GrpcOptions(anyPort(), List.of(), true, limits)));

    worker.setBatchActivationStatus(batch(update("a", 5), update("b", 5), update("c", 5)));
    assertFails(
        () ->
            worker.setBatchActivationStatus(
                batch(update("a", 5), update("b", 5), update("c", 5), update("d", 5))),
        Status.Code.INVALID_ARGUMENT,
        "Too many updates in one call, expects at most 3");

    assertThat(report().updates()).hasSize(3);
    assertThat(intake.requests).isEmpty();
  }

  @Test
  void rejectsUndecodableRequests() {
    var channel = connect(serve(false));
    // Field 1 of 127 missing bytes; an unterminated group; invalid UTF-8.
    byte[][] bodies = {{0x0A, 0x7F}, {0x0B}, {0x0A, 0x01, (byte) 0xFF}};

    for (String method : List.of("GetTask", "SetTaskStatus", "SetBatchActivationStatus")) {
      for (byte[] body : bodies) {
        Status status = failure(() -> call(channel, method, body));
        assertThat(status.getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
        assertThat(status.getDescription()).startsWith("Cannot decode the request: ");
      }
    }
    assertThat(intake.requests).isEmpty();
  }

  @Test
  void skipsUnknownFields() throws InterruptedException {
    intake.answerWithNothing();
    var channel = connect(serve(false));
    ByteString known = ByteString.copyFrom(batch(update("x", 5)).toByteArray());
    ByteString unknown = ByteString.copyFrom(new byte[] {0x7A, 0x02, 1, 2, 0x10, 5});

    call(channel, "SetBatchActivationStatus", unknown.concat(known).concat(unknown).toByteArray());

    assertThat(report().updates()).containsExactly(complete("x"));
  }

  /// Ten bytes of 0xFF are a number for the generated parser, whatever the last byte.
  @Test
  void batchDecodingMatchesTheGeneratedParser() throws InterruptedException {
    intake.answerWithNothing();
    var channel = connect(serve(false));
    ByteString known = ByteString.copyFrom(batch(update("x", 5)).toByteArray());
    ByteString number = ByteString.fromHex("40ffffffffffffffffffff");

    call(channel, "SetBatchActivationStatus", number.concat(known).toByteArray());
    Status status =
        failure(() ->
            call(
                channel,
                "SetBatchActivationStatus",
                known.concat(ByteString.fromHex("0c")).toByteArray()));

    assertThat(report().updates()).containsExactly(complete("x"));
    assertThat(status.getDescription()).startsWith("Cannot decode the request: ");
    assertThat(intake.requests).isEmpty();
  }

  @Test
  void answersTenThousandDelayedCalls() throws Exception {
    int calls = 10_000;
    CountDownLatch answered = new CountDownLatch(calls);
    Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
    try (ExecutorService engine = Executors.newSingleThreadExecutor()) {
      intake.answer =
          request -> engine.execute(() -> ((Command.Report) request).reply().done(null));
      var worker = ConsumerServiceGrpc.newStub(connect(serve(true)));

      for (int i = 0; i < calls; i++) {
        worker.setTaskStatus(
            update("id-" + i, 5).build(),
            new StreamObserver<>() {
              @Override
              public void onNext(SetTaskStatusResponse response) {}

              @Override
              public void onError(Throwable failure) {
                failures.add(failure);
                answered.countDown();
              }

              @Override
              public void onCompleted() {
                answered.countDown();
              }
            });
      }
      assertThat(answered.await(60, SECONDS)).isTrue();
    }
    assertThat(failures).isEmpty();
    assertThat(intake.requests).hasSize(calls).doesNotHaveDuplicates();
  }

  private Command.Report report() throws InterruptedException {
    return (Command.Report) intake.requests.take();
  }

  private static Update complete(String id) {
    return new Update(id, io.taskbroker.activation.Status.COMPLETE, -1, -1);
  }

  private static Update retry(long maxAttempts, long delay) {
    return new Update("x", io.taskbroker.activation.Status.RETRY, maxAttempts, delay);
  }

  private static SetTaskStatusRequest.Builder update(String id, int status) {
    return SetTaskStatusRequest.newBuilder().setId(id).setStatusValue(status);
  }

  private static SetBatchActivationStatusRequest batch(SetTaskStatusRequest.Builder... updates) {
    var batch = SetBatchActivationStatusRequest.newBuilder();
    for (SetTaskStatusRequest.Builder update : updates) {
      batch.addUpdates(update);
    }
    return batch.build();
  }

  private static byte[] call(ManagedChannel channel, String method, byte[] body) {
    MethodDescriptor<byte[], byte[]> descriptor =
        MethodDescriptor.newBuilder(RawMessage.MARSHALLER, RawMessage.MARSHALLER)
            .setType(MethodDescriptor.MethodType.UNARY)
            .setFullMethodName(ConsumerService.NAME + "/" + method)
            .build();
    return ClientCalls.blockingUnaryCall(channel, descriptor, CallOptions.DEFAULT, body);
  }
}
