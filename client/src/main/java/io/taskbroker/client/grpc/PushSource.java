package io.taskbroker.client.grpc;

import io.grpc.InsecureServerCredentials;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.taskbroker.proto.v1.PushTaskRequest;
import io.taskbroker.proto.v1.WorkerServiceGrpc;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// Work source that a broker in push mode calls, by the compatible contract. Calls beyond the slots
/// are refused as busy. Heartbeats and progress have no effect.
public final class PushSource extends ContractSource {
  private static final int MAX_MESSAGE_BYTES = 16 << 20;

  private final Server server;
  private final @Nullable Signature signature;

  /// @param address to listen on
  /// @param secret that signs the calls of the broker, if given
  public PushSource(
      BrokerConnection broker,
      ScheduledExecutorService timer,
      WorkerOptions options,
      RunningTasks tasks,
      Counts counts,
      InetSocketAddress address,
      @Nullable String secret) {
    super(broker, timer, options, tasks, counts);
    this.signature = secret == null ? null : new Signature(secret);
    MethodDescriptor<byte[], byte[]> method =
        MethodDescriptor.newBuilder(new Bytes(), new Bytes())
            .setType(MethodDescriptor.MethodType.UNARY)
            .setFullMethodName(WorkerServiceGrpc.getPushTaskMethod().getFullMethodName())
            .build();
    this.server =
        NettyServerBuilder.forAddress(address, InsecureServerCredentials.create())
            .maxInboundMessageSize(MAX_MESSAGE_BYTES)
            .directExecutor()
            .addService(
                ServerServiceDefinition.builder(WorkerServiceGrpc.SERVICE_NAME)
                    .addMethod(method, new Pushes())
                    .build())
            .build();
  }

  /// The signature covers the bytes of the message, so that they are taken as they come.
  private static final class Bytes implements MethodDescriptor.Marshaller<byte[]> {
    @Override
    public InputStream stream(byte[] value) {
      return new ByteArrayInputStream(value);
    }

    @Override
    public byte[] parse(InputStream stream) {
      try (stream) {
        return stream.readAllBytes();
      } catch (IOException e) {
        throw new UncheckedIOException("Could not read a pushed task", e);
      }
    }
  }

  private final class Pushes implements ServerCallHandler<byte[], byte[]> {
    @Override
    public ServerCall.Listener<byte[]> startCall(
        ServerCall<byte[], byte[]> call, Metadata headers) {
      call.request(2);
      return new Push(call, headers.get(Signature.HEADER));
    }
  }

  private final class Push extends ServerCall.Listener<byte[]> {
    private final ServerCall<byte[], byte[]> call;
    private final @Nullable String signed;
    private byte @Nullable [] request;

    Push(ServerCall<byte[], byte[]> call, @Nullable String signed) {
      this.call = call;
      this.signed = signed;
    }

    @Override
    public void onMessage(byte[] message) {
      request = message;
    }

    @Override
    public void onHalfClose() {
      byte[] message = request;
      Status status =
          message == null ? Status.INTERNAL.withDescription("No request") : take(message, signed);
      if (status.isOk()) {
        call.sendHeaders(new Metadata());
        call.sendMessage(new byte[0]);
      }
      call.close(status, new Metadata());
    }
  }

  private Status take(byte[] message, @Nullable String signed) {
    String method = WorkerServiceGrpc.getPushTaskMethod().getFullMethodName();
    if (signature != null && !signature.matches(method, message, signed)) {
      return Status.UNAUTHENTICATED.withDescription("Authentication failed");
    }
    PushTaskRequest request;
    try {
      request = PushTaskRequest.parseFrom(message);
    } catch (IOException e) {
      return Status.INVALID_ARGUMENT.withDescription("Not a PushTaskRequest");
    }
    if (isDraining() || !slots().tryAcquire()) {
      return Status.RESOURCE_EXHAUSTED.withDescription("worker busy");
    }
    if (!hasRoom()) {
      slots().release();
      return Status.RESOURCE_EXHAUSTED.withDescription("worker busy");
    }
    run(request.getTask());
    return Status.OK;
  }

  @Override
  public void start() {
    try {
      server.start();
    } catch (IOException e) {
      throw new UncheckedIOException("Could not listen for pushed tasks", e);
    }
  }

  /// Port that it listens on.
  public int port() {
    return server.getPort();
  }

  @Override
  public boolean isConnected() {
    return !server.isShutdown();
  }

  @Override
  public void drain() {
    super.drain();
    server.shutdown();
  }

  @Override
  public void close(Duration timeout) throws InterruptedException {
    super.close(timeout);
    server.shutdownNow();
    boolean unused = server.awaitTermination(timeout.toNanos(), TimeUnit.NANOSECONDS);
  }
}
