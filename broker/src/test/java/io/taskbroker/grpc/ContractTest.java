package io.taskbroker.grpc;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.MessageLite;
import io.grpc.Channel;
import io.grpc.ClientInterceptor;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.stub.MetadataUtils;
import io.taskbroker.grpc.RawConnection.Outcome;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.proto.v1.ConsumerServiceGrpc;
import io.taskbroker.proto.v1.ConsumerServiceGrpc.ConsumerServiceBlockingStub;
import io.taskbroker.proto.v1.FetchNextTask;
import io.taskbroker.proto.v1.GetTaskRequest;
import io.taskbroker.proto.v1.GetTaskResponse;
import io.taskbroker.proto.v1.SetBatchActivationStatusRequest;
import io.taskbroker.proto.v1.SetTaskStatusRequest;
import io.taskbroker.proto.v1.SetTaskStatusResponse;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.wire.Signatures;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The table of reference-spec 2.7, row by row, and the signatures of 2.4, with the generated
/// client over a real connection: codes and texts match exactly.
final class ContractTest extends ServedTest {
  private static final boolean PULL = false;
  private static final boolean PUSH = true;
  private static final MessageLite EMPTY = SetTaskStatusResponse.getDefaultInstance();
  private static final String UNKNOWN_STATUS =
      "Unable to deserialize status: unknown enumeration value 99";
  private static final String NOT_FINAL =
      "Invalid status, expects 3 (Failure), 4 (Retry), or 5 (Complete), but got: ";
  private static final String STOPPING = "the broker is stopping";

  /// Response, and the requests that reached the engine.
  ///
  /// @param requests number of requests that reached the engine
  record Answer(Status.Code code, String text, MessageLite response, int requests) {}

  record Row(
      String name,
      boolean pushMode,
      Consumer<RecordedRequests> engine,
      Function<ConsumerServiceBlockingStub, MessageLite> call,
      Answer answer) {
    @Override
    public String toString() {
      return name;
    }
  }

  @ParameterizedTest
  @MethodSource("rows")
  void answersMatchTheTable(Row row) throws IOException {
    row.engine().accept(intake);
    var worker = worker(serve(row.pushMode()));

    Answer answer;
    try {
      MessageLite response = row.call().apply(worker);
      answer = new Answer(Status.Code.OK, "", response, intake.requests.size());
    } catch (StatusRuntimeException e) {
      Status status = e.getStatus();
      answer =
          new Answer(
              status.getCode(),
              String.valueOf(status.getDescription()),
              EMPTY,
              intake.requests.size());
    }

    assertThat(answer.code()).isEqualTo(row.answer().code());
    assertThat(answer.text()).isEqualTo(row.answer().text());
    assertThat(answer.requests()).as("requests").isEqualTo(row.answer().requests());
    assertThat(answer.response().toByteArray()).isEqualTo(row.answer().response().toByteArray());
  }

  static Stream<Row> rows() throws IOException {
    var fetch = FetchNextTask.getDefaultInstance();
    var task = TaskActivation.parseFrom(ACTIVATION);
    SetTaskStatusRequest complete = report("x", 5).build();
    SetTaskStatusRequest andNext = report("x", 5).setFetchNextTask(fetch).build();
    Consumer<RecordedRequests> nothing = RecordedRequests::answerWithNothing;
    Consumer<RecordedRequests> something = intake -> intake.answerWith(ACTIVATION);
    Consumer<RecordedRequests> broken = ContractTest::cannotReachItsStore;
    List<Row> rows = new ArrayList<>();
    rows.add(
        new Row(
            "GetTask in push mode",
            PUSH,
            something,
            get(GetTaskRequest.getDefaultInstance()),
            refused(Status.Code.PERMISSION_DENIED, "Cannot call while broker is in PUSH mode", 0)));
    rows.add(
        new Row(
            "GetTask, nothing claimable",
            PULL,
            nothing,
            get(GetTaskRequest.getDefaultInstance()),
            refused(Status.Code.NOT_FOUND, "No pending activations", 1)));
    rows.add(
        new Row(
            "GetTask, namespace but no application",
            PULL,
            something,
            get(GetTaskRequest.newBuilder().setNamespace("n").build()),
            refused(Status.Code.NOT_FOUND, "No pending activations", 0)));
    rows.add(
        new Row(
            "GetTask, store error: UNAVAILABLE, not INTERNAL",
            PULL,
            broken,
            get(GetTaskRequest.getDefaultInstance()),
            refused(Status.Code.UNAVAILABLE, STOPPING, 1)));
    rows.add(
        new Row(
            "GetTask ok",
            PULL,
            something,
            get(GetTaskRequest.newBuilder().setApplication("a").setNamespace("n").build()),
            ok(GetTaskResponse.newBuilder().setTask(task).build(), 1)));
    rows.add(
        new Row(
            "SetTaskStatus, enum number unknown",
            PULL,
            nothing,
            set(report("x", 99).build()),
            refused(Status.Code.INVALID_ARGUMENT, UNKNOWN_STATUS, 0)));
    List<String> names = List.of("Unspecified", "Pending", "Processing");
    for (int number = 0; number < names.size(); number++) {
      Answer refused = refused(Status.Code.INVALID_ARGUMENT, NOT_FINAL + names.get(number), 0);
      rows.add(
          new Row(
              "SetTaskStatus, status " + number,
              PULL,
              nothing,
              set(report("x", number).build()),
              refused));
      rows.add(
          new Row(
              "SetBatch, status " + number + " behind a good one",
              PUSH,
              nothing,
              setBatch(complete, report("y", number).build()),
              refused));
    }
    for (int number = 3; number <= 5; number++) {
      // Whether the id is known is decided by the engine; the response is the same.
      rows.add(
          new Row(
              "SetTaskStatus, status " + number + ", id known or unknown, no fetch_next_task",
              PULL,
              nothing,
              set(report("x", number).build()),
              ok(EMPTY, 1)));
    }
    rows.add(
        new Row(
            "SetTaskStatus, id unknown, goes on to fetch_next_task",
            PULL,
            something,
            set(report("nobody", 5).setFetchNextTask(fetch).build()),
            ok(SetTaskStatusResponse.newBuilder().setTask(task).build(), 1)));
    rows.add(
        new Row(
            "SetTaskStatus, store error or closed channel: UNAVAILABLE, not INTERNAL",
            PULL,
            broken,
            set(complete),
            refused(Status.Code.UNAVAILABLE, STOPPING, 1)));
    rows.add(
        new Row(
            "SetTaskStatus in push mode ignores fetch_next_task",
            PUSH,
            intake ->
                intake.answer =
                    request -> {
                      var report = (Command.Report) request;
                      assertThat(report.next()).isNull();
                      report.reply().done(null);
                    },
            set(andNext),
            ok(EMPTY, 1)));
    rows.add(
        new Row(
            "SetTaskStatus + fetch_next_task, none available",
            PULL,
            nothing,
            set(andNext),
            ok(EMPTY, 1)));
    rows.add(
        new Row(
            "SetTaskStatus + fetch_next_task, claim error: UNAVAILABLE, not INTERNAL",
            PULL,
            broken,
            set(andNext),
            refused(Status.Code.UNAVAILABLE, STOPPING, 1)));
    rows.add(
        new Row(
            "SetBatch, an unknown status behind a good one",
            PULL,
            nothing,
            setBatch(complete, report("y", 99).build()),
            refused(Status.Code.INVALID_ARGUMENT, UNKNOWN_STATUS, 0)));
    rows.add(
        new Row(
            "SetBatch, write error of a group or an item: UNAVAILABLE, not INTERNAL",
            PUSH,
            broken,
            setBatch(complete, report("y", 3).build(), report("z", 4).build()),
            refused(Status.Code.UNAVAILABLE, STOPPING, 1)));
    rows.add(new Row("SetBatch ok", PUSH, nothing, setBatch(complete, andNext), ok(EMPTY, 1)));
    rows.add(new Row("SetBatch, empty list", PULL, nothing, setBatch(), ok(EMPTY, 0)));
    return rows.stream();
  }

  @Test
  void w04FetchNextTaskWorksWhateverIsBatched() {
    // Batching of status updates is not visible here: the claim is part of the report.
    intake.answerWith(ACTIVATION);
    var worker = worker(serve(PULL));

    worker.setTaskStatus(
        report("x", 5).setFetchNextTask(FetchNextTask.newBuilder().setApplication("a")).build());

    var reported = (Command.Report) intake.requests.remove();
    assertThat(reported.updates()).hasSize(1);
    assertThat(reported.next()).isNotNull().extracting(Command.Claim::application).isEqualTo("a");
  }

  @Test
  void w25StatusesOfOneIdInABatchStayInTheirOrder() {
    intake.answerWithNothing();
    var worker = worker(serve(PUSH));

    worker.setBatchActivationStatus(batch(3, 5, 4, 5));

    assertThat(((Command.Report) intake.requests.remove()).updates())
        .extracting(update -> update.status().name())
        .containsExactly("FAILURE", "COMPLETE", "RETRY", "COMPLETE");
  }

  @Test
  void w43ABatchOfTheLargestSizeIsOneRequestToTheEngine() {
    intake.answerWithNothing();
    var worker = worker(serve(PUSH));
    var batch = SetBatchActivationStatusRequest.newBuilder();
    for (int i = 0; i < 90_000; i++) {
      batch.addUpdates(report("%032x".formatted(i), 4));
    }
    assertThat(batch.build().getSerializedSize()).isBetween(3 << 20, 4 << 20);

    worker.setBatchActivationStatus(batch.build());

    assertThat(((Command.Report) intake.requests.remove()).updates()).hasSize(90_000);
    assertThat(intake.requests).isEmpty();
  }

  @Test
  void requestsOverFourMebibytesAreRejectedUnreadAndReportsOver64KibibytesUndecoded() {
    intake.answerWithNothing();
    var worker = worker(serve(PUSH));

    worker.setTaskStatus(report(idForSize(64 << 10), 5).build());
    assertFails(
        () -> worker.setTaskStatus(report(idForSize((64 << 10) + 1), 5).build()),
        Status.Code.INVALID_ARGUMENT,
        "The message has 65537 bytes, more than 65536");
    assertFails(
        () -> worker.setTaskStatus(report(idForSize((4 << 20) + 1), 5).build()),
        Status.Code.RESOURCE_EXHAUSTED,
        "gRPC message exceeds maximum size 4194304: 4194305");

    assertThat(intake.requests).hasSize(1);
  }

  /// An id that makes a report so many bytes large.
  private static String idForSize(int bytes) {
    int most = report("x".repeat(bytes), 5).build().getSerializedSize();
    return "x".repeat(2 * bytes - most);
  }

  @Test
  void signaturesMatchTheTestVectors() {
    assertThat(
            new Signatures(List.of("super secret"))
                .forPath("/sentry_protos.taskbroker.v1.WorkerService/PushTask")
                .sign("hello".getBytes(UTF_8)))
        .isEqualTo("cfdf2c4d2efd3a2d28bd10de6471ef352d03f49d2d3bd880ee7051ea39fbe239");
    intake.answerWith(ACTIVATION);
    var sentry = GetTaskRequest.newBuilder().setApplication("sentry").build();
    GrpcServer server = serve(PULL, "a long secret value");

    assertThat(
            worker(server)
                .withInterceptors(
                    signature("556b2e74f2d5a1d0134b1f803c9bfaa8467bbd8e4cb510a9856c5e2ef2b66a21"))
                .getTask(sentry)
                .hasTask())
        .isTrue();
  }

  @ParameterizedTest
  @ValueSource(strings = {"new", "old"})
  void anySecretVerifiesSoThatSecretsCanBeRotated(String secret) {
    intake.answerWith(ACTIVATION);
    GrpcServer server = serve(PULL, "new", "old");

    assertThat(signed(server, secret).getTask(GetTaskRequest.getDefaultInstance()).hasTask())
        .isTrue();
  }

  @Test
  void removedSecretDoesNotVerify() {
    GrpcServer server = serve(PULL, "new", "old");

    assertFails(
        () -> signed(server, "older").getTask(GetTaskRequest.getDefaultInstance()),
        Status.Code.UNAUTHENTICATED,
        "Authentication failed");
    assertThat(intake.requests).isEmpty();
  }

  /// Message bytes that the generated classes would write in another order.
  @Test
  void signaturesAreVerifiedOverTheReceivedBytes() throws IOException {
    intake.answerWith(ACTIVATION);
    GrpcServer server = serve(PULL, "secret");
    byte[] reversed = {0x12, 1, 'n', 0x0A, 1, 'a'};
    Map<String, String> headers = RawConnection.headers("/" + ConsumerService.NAME + "/GetTask");
    headers.put(
        Signatures.HEADER,
        new Signatures(List.of("secret"))
            .forPath("/" + ConsumerService.NAME + "/GetTask")
            .sign(reversed));
    try (var connection = new RawConnection(server.port())) {
      Outcome outcome =
          connection.call(headers, RawConnection.message(0, reversed.length, reversed));

      assertThat(outcome.grpcStatus()).isEqualTo("0");
    }
    var claim = (Command.Claim) intake.requests.remove();
    assertThat(claim.application() + "/" + claim.namespace()).isEqualTo("n/a");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "no hexadecimal", "00"})
  void aFailedAuthenticationIsAnsweredByTrailersOnly(String signature) throws IOException {
    GrpcServer server = serve(PULL, "secret");
    Map<String, String> headers = RawConnection.headers("/" + ConsumerService.NAME + "/GetTask");
    headers.put(Signatures.HEADER, signature);
    try (var connection = new RawConnection(server.port())) {
      Outcome outcome = connection.call(headers, RawConnection.message(0, 0, new byte[0]));

      assertThat(outcome.frames()).as("a single HEADERS frame").isEqualTo("H");
      assertThat(outcome.end()).isEqualTo("trailers");
      assertThat(outcome.headers())
          .containsEntry(":status", "200")
          .containsEntry("grpc-status", "16")
          .containsEntry("grpc-message", "Authentication failed");
    }
    assertThat(intake.requests).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "sentry_protos.taskbroker.v1.ConsumerService"})
  void healthNeedsNoSignature(String service) {
    GrpcServer server = serve(PULL, "secret");
    server.setServing(true);
    var health = HealthGrpc.newBlockingStub(connect(server));
    var request = HealthCheckRequest.newBuilder().setService(service).build();

    assertThat(health.check(request).getStatus()).isEqualTo(ServingStatus.SERVING);
    assertThat(health.watch(request).next())
        .extracting(HealthCheckResponse::getStatus)
        .isEqualTo(ServingStatus.SERVING);
  }

  @Test
  void healthOfAnUnknownServiceIsNotFound() {
    var health = HealthGrpc.newBlockingStub(connect(serve(PULL, "secret")));
    var request = HealthCheckRequest.newBuilder().setService("taskbroker").build();

    assertFails(() -> health.check(request), Status.Code.NOT_FOUND, "service not registered");
    assertFails(
        () -> health.watch(request).next(), Status.Code.NOT_FOUND, "service not registered");
  }

  private ConsumerServiceBlockingStub signed(GrpcServer server, String secret) {
    Channel channel = connect(server);
    return ConsumerServiceGrpc.newBlockingStub(channel)
        .withInterceptors(
            signature(
                new Signatures(List.of(secret))
                    .forPath("/" + ConsumerService.NAME + "/GetTask")
                    .sign(new byte[0])));
  }

  private static ClientInterceptor signature(String signature) {
    Metadata headers = new Metadata();
    headers.put(Metadata.Key.of(Signatures.HEADER, Metadata.ASCII_STRING_MARSHALLER), signature);
    return MetadataUtils.newAttachHeadersInterceptor(headers);
  }

  /// Difference: this broker retries until its store responds, or stops, where the reference
  /// responds INTERNAL.
  private static void cannotReachItsStore(RecordedRequests intake) {
    intake.answer = request -> request.unavailable(STOPPING);
  }

  private static Answer refused(Status.Code code, String text, int requests) {
    return new Answer(code, text, EMPTY, requests);
  }

  private static Answer ok(MessageLite response, int requests) {
    return new Answer(Status.Code.OK, "", response, requests);
  }

  private static Function<ConsumerServiceBlockingStub, MessageLite> get(GetTaskRequest request) {
    return worker -> worker.getTask(request);
  }

  private static Function<ConsumerServiceBlockingStub, MessageLite> set(
      SetTaskStatusRequest request) {
    return worker -> worker.setTaskStatus(request);
  }

  private static Function<ConsumerServiceBlockingStub, MessageLite> setBatch(
      SetTaskStatusRequest... updates) {
    var request =
        SetBatchActivationStatusRequest.newBuilder().addAllUpdates(List.of(updates)).build();
    return worker -> worker.setBatchActivationStatus(request);
  }

  private static SetBatchActivationStatusRequest batch(int... statuses) {
    var batch = SetBatchActivationStatusRequest.newBuilder();
    for (int status : statuses) {
      batch.addUpdates(report("x", status));
    }
    return batch.build();
  }

  private static SetTaskStatusRequest.Builder report(String id, int status) {
    return SetTaskStatusRequest.newBuilder().setId(id).setStatusValue(status);
  }
}
