package io.taskbroker.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.google.protobuf.InvalidProtocolBufferException;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.netty.channel.embedded.EmbeddedChannel;
import io.taskbroker.fuzz.Cost;
import io.taskbroker.fuzz.Portions;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.TaskQuery;
import io.taskbroker.protocol.v1.AwaitRequest;
import io.taskbroker.protocol.v1.CancelRequest;
import io.taskbroker.protocol.v1.ExplainRequest;
import io.taskbroker.protocol.v1.GetRequest;
import io.taskbroker.telemetry.Metrics;
import io.taskbroker.wire.Signatures;
import java.io.ByteArrayInputStream;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.provider.MethodSource;

/// Arbitrary messages of `Get`, `Cancel`, `Await` and `Explain`: each call is answered once, the
/// engine is asked for the id that the generated parser reads, and everything is released.
final class TaskServiceFuzzTest {
  private static final List<String> METHODS = List.of("Get", "Cancel", "Await", "Explain");
  private static final EmbeddedChannel LOOP = new EmbeddedChannel();

  private final RecordedRequests intake = new RecordedRequests();
  private final Budget calls = new Budget(1 << 20);
  private final Connection connection =
      TestConnections.on(
          new RunningCalls(LOOP.eventLoop(), Duration.ofDays(1)),
          new Budgets(new Budget(1 << 20), new Budget(1 << 20), calls));
  private final ServerServiceDefinition service = service();

  @MethodSource("seeds")
  @FuzzTest
  void asksForTheIdThatTheGeneratedParserReads(byte[] input) {
    var portions = new Portions(input);
    String method = METHODS.get(portions.number() % METHODS.size());
    byte[] body = portions.rest();
    intake.requests.clear();
    intake.answer = request -> ((Command.Ask) request).query().reply().done(null);

    RecordedCall call = Cost.within(100_000 + 100L * body.length, () -> call(method, body));

    assertThat(call.closed).hasSize(1);
    @Nullable String id = id(method, body);
    if (id == null) {
      assertThat(call.closed.getFirst().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
      assertThat(intake.requests).isEmpty();
    } else {
      assertThat(call.closed.getFirst().getCode()).isEqualTo(Status.Code.NOT_FOUND);
      assertThat(intake.requests).isNotEmpty().allMatch(request -> query(request).id().equals(id));
    }
    assertThat(calls.held()).isZero();
  }

  private static TaskQuery query(Command.Request request) {
    return ((Command.Ask) request).query();
  }

  /// The id; null if the request is refused.
  private static @Nullable String id(String method, byte[] body) {
    try {
      return switch (method) {
        case "Get" -> GetRequest.parseFrom(body).getId();
        case "Cancel" -> CancelRequest.parseFrom(body).getId();
        case "Explain" -> ExplainRequest.parseFrom(body).getId();
        default -> {
          AwaitRequest request = AwaitRequest.parseFrom(body);
          yield Integer.compareUnsigned(request.getTimeoutSeconds(), 3_600) > 0
              ? null
              : request.getId();
        }
      };
    } catch (InvalidProtocolBufferException _) {
      return null;
    }
  }

  private ServerServiceDefinition service() {
    var metrics = new Metrics();
    return new TaskService(
            intake, InstantSource.system(), new ServiceCounts(metrics), new EnqueueCounts(metrics))
        .definition(new Signatures(List.of()));
  }

  @SuppressWarnings("unchecked") // as the methods of the service are declared
  private RecordedCall call(String name, byte[] body) {
    var method = service.getMethod(TaskService.NAME + "/" + name);
    var descriptor = (MethodDescriptor<byte[], byte[]>) method.getMethodDescriptor();
    var handler = (UnaryMethod) method.getServerCallHandler();
    var call = new RecordedCall(descriptor, connection);
    var listener = handler.startCall(call, new Metadata());
    listener.onMessage(descriptor.parseRequest(new ByteArrayInputStream(body)));
    listener.onHalfClose();
    LOOP.runPendingTasks();
    listener.onComplete();
    return call;
  }

  static Stream<byte[]> seeds() {
    return Stream.of(
        seed(0, GetRequest.newBuilder().setId("é").build().toByteArray()),
        seed(1, CancelRequest.newBuilder().setId("a").build().toByteArray()),
        seed(2, AwaitRequest.newBuilder().setId("a").setTimeoutSeconds(9).build().toByteArray()),
        seed(2, AwaitRequest.newBuilder().setTimeoutSeconds(-1).build().toByteArray()),
        seed(3, ExplainRequest.newBuilder().setId("a").build().toByteArray()),
        seed(3, new byte[] {10, 2, -1, -1}));
  }

  private static byte[] seed(int method, byte[] body) {
    return new Portions.Seed().number(method).rest(body);
  }
}
