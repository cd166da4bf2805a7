package io.taskbroker.grpc;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.ByteString;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.taskbroker.proto.v1.ConsumerServiceGrpc;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.schedule.Schedules;
import io.taskbroker.telemetry.Metrics;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;

/// Base class of tests with a running server.
@Timeout(240)
abstract class ServedTest {
  /// Activation with a field unknown to this broker.
  static final byte[] ACTIVATION =
      TaskActivation.newBuilder()
          .setId("a1")
          .setTaskname("task")
          .setUnknownFields(
              com.google.protobuf.UnknownFieldSet.newBuilder()
                  .addField(
                      99,
                      com.google.protobuf.UnknownFieldSet.Field.newBuilder()
                          .addLengthDelimited(ByteString.copyFromUtf8("from the future"))
                          .build())
                  .build())
          .build()
          .toByteArray();

  final RecordedRequests intake = new RecordedRequests();
  final Metrics metrics = new Metrics();
  private final List<AutoCloseable> open = new ArrayList<>();

  @AfterEach
  void closeAll() throws Exception {
    for (AutoCloseable each : open.reversed()) {
      each.close();
    }
  }

  GrpcServer serve(boolean pushMode, String... secrets) {
    return serve(new GrpcOptions(anyPort(), List.of(secrets), pushMode));
  }

  GrpcServer serve(GrpcOptions options) {
    return serve(options, Optional.empty());
  }

  GrpcServer serve(GrpcOptions options, Optional<Schedules> schedules) {
    GrpcServer server = new GrpcServer(options, intake, schedules, metrics);
    server.start();
    open.add(server::stop);
    return server;
  }

  ManagedChannel connect(GrpcServer server) {
    ManagedChannel channel =
        NettyChannelBuilder.forAddress("127.0.0.1", server.port()).usePlaintext().build();
    open.add(() -> channel.shutdownNow().awaitTermination(60, SECONDS));
    return channel;
  }

  ConsumerServiceGrpc.ConsumerServiceBlockingStub worker(GrpcServer server) {
    return ConsumerServiceGrpc.newBlockingStub(connect(server));
  }

  static InetSocketAddress anyPort() {
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
  }

  static void assertFails(ThrowingCallable call, Status.Code code, String text) {
    Status status = failure(call);
    assertThat(status.getCode()).isEqualTo(code);
    assertThat(status.getDescription()).isEqualTo(text);
  }

  static Status failure(ThrowingCallable call) {
    StatusRuntimeException failure = catchThrowableOfType(StatusRuntimeException.class, call);
    assertThat(failure).as("the call should fail").isNotNull();
    return failure.getStatus();
  }
}
