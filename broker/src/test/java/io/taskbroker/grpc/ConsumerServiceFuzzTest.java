package io.taskbroker.grpc;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.google.protobuf.InvalidProtocolBufferException;
import io.grpc.Attributes;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.netty.channel.embedded.EmbeddedChannel;
import io.taskbroker.fuzz.Cost;
import io.taskbroker.fuzz.Portions;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.proto.v1.FetchNextTask;
import io.taskbroker.proto.v1.GetTaskRequest;
import io.taskbroker.proto.v1.SetBatchActivationStatusRequest;
import io.taskbroker.proto.v1.SetTaskStatusRequest;
import io.taskbroker.proto.v1.TaskActivationStatus;
import io.taskbroker.telemetry.Metrics;
import io.taskbroker.wire.Signatures;
import io.taskbroker.wire.WireOracle;
import java.io.ByteArrayInputStream;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.provider.MethodSource;

/// Arbitrary messages of a call (W14): each call is answered once, and the engine receives what the
/// generated parser reads.
final class ConsumerServiceFuzzTest {
  private static final String[] METHODS = {"GetTask", "SetTaskStatus", "SetBatchActivationStatus"};
  private static final int MAX_UPDATES = 8;

  private final RecordedRequests intake = new RecordedRequests();
  private final ServerServiceDefinition pull = service(false);
  private final ServerServiceDefinition push = service(true);

  @MethodSource("seeds")
  @FuzzTest
  void asksForWhatTheGeneratedParserReads(byte[] input) {
    var portions = new Portions(input);
    int method = portions.number() % METHODS.length;
    boolean pushes = portions.number() % 2 == 1;
    byte[] body = portions.rest();
    intake.requests.clear();
    intake.answerWithNothing();

    // Apart from metrics, a call allocates a few objects per byte.
    Call call =
        Cost.within(
            100_000 + 200L * body.length, () -> call(pushes ? push : pull, METHODS[method], body));

    assertThat(call.closed).hasSize(1);
    Status.Code code = call.closed.getFirst().getCode();
    var asked = intake.requests.stream().map(ConsumerServiceFuzzTest::describe).distinct().toList();
    switch (method) {
      case 0 -> {
        if (pushes) {
          assertThat(code).isEqualTo(Status.Code.PERMISSION_DENIED);
          assertThat(asked).isEmpty();
        } else {
          assertAnswered(claim(body), asked, code, Status.Code.NOT_FOUND);
        }
      }
      case 1 -> assertAnswered(report(body, pushes), asked, code, Status.Code.OK);
      default -> assertAnswered(batch(body), asked, code, Status.Code.OK);
    }
  }

  private static void assertAnswered(
      Expected expected, List<String> asked, Status.Code code, Status.Code good) {
    switch (expected) {
      case Refused _ -> {
        assertThat(code).isEqualTo(Status.Code.INVALID_ARGUMENT);
        assertThat(asked).isEmpty();
      }
      case Asked(String what) -> {
        assertThat(code).isEqualTo(good);
        assertThat(asked).isEqualTo(what.isEmpty() ? List.of() : List.of(what));
      }
    }
  }

  private sealed interface Expected {}

  private record Refused() implements Expected {}

  /// @param what expected engine request; empty for none
  private record Asked(String what) implements Expected {}

  private static Expected claim(byte[] body) {
    if (WireOracle.refuses(body, GetTaskRequest.getDescriptor(), 1)) {
      return new Refused();
    }
    try {
      var request = GetTaskRequest.parseFrom(body);
      return new Asked(
          claim(
              request.hasApplication() ? request.getApplication() : null,
              request.hasNamespace() ? request.getNamespace() : null));
    } catch (InvalidProtocolBufferException _) {
      return new Refused();
    }
  }

  private static Expected report(byte[] body, boolean pushes) {
    if (WireOracle.refuses(body, SetTaskStatusRequest.getDescriptor(), 1)) {
      return new Refused();
    }
    try {
      var request = SetTaskStatusRequest.parseFrom(body);
      if (isNotFinal(request)) {
        return new Refused();
      }
      FetchNextTask fetch = request.getFetchNextTask();
      return new Asked(
          "report of [%s]%s"
              .formatted(
                  update(request),
                  pushes || !request.hasFetchNextTask()
                      ? ""
                      : claim(
                          fetch.hasApplication() ? fetch.getApplication() : null,
                          fetch.hasNamespace() ? fetch.getNamespace() : null)));
    } catch (InvalidProtocolBufferException _) {
      return new Refused();
    }
  }

  private static Expected batch(byte[] body) {
    if (WireOracle.refuses(body, SetBatchActivationStatusRequest.getDescriptor(), 2)) {
      return new Refused();
    }
    try {
      var updates = SetBatchActivationStatusRequest.parseFrom(body).getUpdatesList();
      if (updates.isEmpty()) {
        return new Asked("");
      }
      if (updates.size() > MAX_UPDATES
          || updates.stream().anyMatch(ConsumerServiceFuzzTest::isNotFinal)) {
        return new Refused();
      }
      return new Asked(
          "report of " + updates.stream().map(ConsumerServiceFuzzTest::update).toList());
    } catch (InvalidProtocolBufferException _) {
      return new Refused();
    }
  }

  private static boolean isNotFinal(SetTaskStatusRequest request) {
    return request.getStatusValue() < 3 || request.getStatusValue() > 5;
  }

  private static String update(SetTaskStatusRequest request) {
    return "%s %s attempts %s delay %s"
        .formatted(
            request.getId(),
            switch (request.getStatusValue()) {
              case 3 -> "FAILURE";
              case 4 -> "RETRY";
              default -> "COMPLETE";
            },
            request.hasMaxAttempts() ? Integer.toUnsignedString(request.getMaxAttempts()) : "-1",
            !request.hasDelayOnRetry()
                ? "-1"
                : request.getDelayOnRetry() < 0 ? Long.MAX_VALUE : request.getDelayOnRetry());
  }

  /// Expected request; none for a namespace without an application.
  private static String claim(@Nullable String application, @Nullable String namespace) {
    return application == null && namespace != null
        ? ""
        : "claim of " + application + " " + namespace;
  }

  private static String describe(Command.Request request) {
    return switch (request) {
      case Command.Enqueue _, Command.Results _, Command.Ask _ -> "another";
      case Command.Claim claim -> "claim of " + claim.application() + " " + claim.namespace();
      case Command.Report report ->
          "report of "
              + report.updates().stream()
                  .map(update ->
                      "%s %s attempts %d delay %d"
                          .formatted(
                              update.id(),
                              update.status(),
                              update.maxAttempts(),
                              update.delayOnRetry()))
                  .toList()
              + (report.next() == null ? "" : describe(report.next()));
    };
  }

  private ServerServiceDefinition service(boolean pushes) {
    var limits = new GrpcOptions.Limits(4 << 20, MAX_UPDATES, 10, 10);
    var options = new GrpcOptions(new InetSocketAddress(0), List.of(), pushes, limits);
    return new ConsumerService(options, intake, new ServiceCounts(new Metrics()))
        .definition(new Signatures(List.of()));
  }

  @SuppressWarnings("unchecked") // as the methods of the service are declared
  private static Call call(ServerServiceDefinition service, String name, byte[] body) {
    var method = service.getMethod(ConsumerService.NAME + "/" + name);
    var descriptor = (MethodDescriptor<byte[], byte[]>) method.getMethodDescriptor();
    var handler = (UnaryMethod) method.getServerCallHandler();
    var call = new Call(descriptor);
    var listener = handler.startCall(call, new Metadata());
    listener.onMessage(descriptor.parseRequest(new ByteArrayInputStream(body)));
    listener.onHalfClose();
    LOOP.runPendingTasks();
    listener.onComplete();
    return call;
  }

  private static final EmbeddedChannel LOOP = new EmbeddedChannel();
  private static final Attributes ATTRIBUTES =
      Attributes.newBuilder()
          .set(
              Connection.KEY,
              TestConnections.on(new RunningCalls(LOOP.eventLoop(), Duration.ofDays(1))))
          .build();

  /// Call that records its outcome.
  private static final class Call extends ServerCall<byte[], byte[]> {
    private final MethodDescriptor<byte[], byte[]> method;
    private final List<Status> closed = new ArrayList<>();

    Call(MethodDescriptor<byte[], byte[]> method) {
      this.method = method;
    }

    @Override
    public Attributes getAttributes() {
      return ATTRIBUTES;
    }

    @Override
    public void request(int messages) {}

    @Override
    public void sendHeaders(Metadata headers) {}

    @Override
    public void sendMessage(byte[] message) {}

    @Override
    public void close(Status status, Metadata trailers) {
      closed.add(status);
    }

    @Override
    public boolean isCancelled() {
      return false;
    }

    @Override
    public MethodDescriptor<byte[], byte[]> getMethodDescriptor() {
      return method;
    }
  }

  static Stream<byte[]> seeds() {
    var report =
        SetTaskStatusRequest.newBuilder()
            .setId("é")
            .setStatus(TaskActivationStatus.TASK_ACTIVATION_STATUS_RETRY)
            .setMaxAttempts(-1)
            .setDelayOnRetry(-1)
            .setFetchNextTask(FetchNextTask.newBuilder().setApplication("app").setNamespace("ns"))
            .build();
    var batch =
        SetBatchActivationStatusRequest.newBuilder()
            .addUpdates(report)
            .addUpdates(
                SetTaskStatusRequest.newBuilder()
                    .setId("b")
                    .setStatus(TaskActivationStatus.TASK_ACTIVATION_STATUS_COMPLETE))
            .build();
    return Stream.of(
        seed(0, 0, GetTaskRequest.newBuilder().setNamespace("ns").build().toByteArray()),
        seed(0, 0, GetTaskRequest.newBuilder().setApplication("app").build().toByteArray()),
        seed(0, 1, new byte[0]),
        seed(1, 0, report.toByteArray()),
        seed(1, 1, report.toByteArray()),
        seed(2, 0, batch.toByteArray()),
        seed(2, 1, "\n\u0004\n\u0000\u0010\u0005".repeat(9).getBytes(UTF_8)));
  }

  private static byte[] seed(int method, int pushes, byte[] body) {
    return new Portions.Seed().number(method).number(pushes).rest(body);
  }
}
