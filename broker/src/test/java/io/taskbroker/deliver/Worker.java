package io.taskbroker.deliver;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.awaitility.Awaitility.await;

import io.grpc.Attributes;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServerTransportFilter;
import io.grpc.Status;
import io.grpc.netty.NettyServerBuilder;
import io.netty.handler.ssl.SslContext;
import io.taskbroker.wire.Signatures;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;

/// Test worker with configurable responses to pushes.
final class Worker implements AutoCloseable {
  /// Received call, possibly waiting for its response.
  @SuppressWarnings("ArrayRecordComponent") // compared by nobody
  record Call(
      byte[] message, @Nullable String signature, ServerCall<byte[], byte[]> call, byte[] reply) {
    /// Authority that the caller used.
    @Nullable String authority() {
      return call.getAuthority();
    }

    void answer(Status status) {
      if (status.isOk()) {
        call.sendHeaders(new Metadata());
        call.sendMessage(reply);
      }
      call.close(status, new Metadata());
    }
  }

  final BlockingQueue<Call> calls = new LinkedBlockingQueue<>();
  final Set<Object> connections = ConcurrentHashMap.newKeySet();

  /// Status of responses; null if calls are not answered.
  volatile @Nullable Status answer = Status.OK;

  /// Response body of accepted calls, which is empty in the contract.
  volatile byte[] reply = {};

  private final Server server;
  private final String scheme;
  private final int port;

  private Worker(InetSocketAddress address, int maxMessageBytes, @Nullable SslContext tls)
      throws IOException {
    MethodDescriptor<byte[], byte[]> method =
        MethodDescriptor.newBuilder(Bytes.MARSHALLER, Bytes.MARSHALLER)
            .setType(MethodDescriptor.MethodType.UNARY)
            .setFullMethodName("sentry_protos.taskbroker.v1.WorkerService/PushTask")
            .build();
    NettyServerBuilder builder = NettyServerBuilder.forAddress(address);
    if (tls != null) {
      builder.sslContext(tls);
    }
    scheme = tls == null ? "http" : "https";
    server =
        builder
            .directExecutor()
            .maxInboundMessageSize(maxMessageBytes)
            .addTransportFilter(
                new ServerTransportFilter() {
                  @Override
                  public Attributes transportReady(Attributes attributes) {
                    connections.add(attributes.get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR));
                    return attributes;
                  }
                })
            .addService(
                ServerServiceDefinition.builder("sentry_protos.taskbroker.v1.WorkerService")
                    .addMethod(method, this::startCall)
                    .build())
            .build()
            .start();
    this.port = server.getPort();
  }

  private static InetSocketAddress local(int port) {
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
  }

  /// Worker at another address of this machine.
  static Worker start(InetAddress address, int port) throws IOException {
    return new Worker(new InetSocketAddress(address, port), 10 << 20, null);
  }

  static Worker start() throws IOException {
    return new Worker(local(0), 10 << 20, null);
  }

  static Worker start(int port) throws IOException {
    return new Worker(local(port), 10 << 20, null);
  }

  static Worker start(SslContext tls) throws IOException {
    return new Worker(local(0), 10 << 20, tls);
  }

  static Worker taking(int maxMessageBytes) throws IOException {
    return new Worker(local(0), maxMessageBytes, null);
  }

  int port() {
    return port;
  }

  URI address() {
    return URI.create(scheme + "://127.0.0.1:" + port());
  }

  /// Closes all connections immediately, with their calls.
  @Override
  public void close() {
    server.shutdownNow();
    await().atMost(60, SECONDS).until(server::isTerminated);
  }

  /// Stops accepting calls, and lets running ones end.
  void leave() {
    server.shutdown();
  }

  private ServerCall.Listener<byte[]> startCall(ServerCall<byte[], byte[]> call, Metadata headers) {
    String signature =
        headers.get(Metadata.Key.of(Signatures.HEADER, Metadata.ASCII_STRING_MARSHALLER));
    call.request(2);
    return new ServerCall.Listener<>() {
      @Override
      public void onMessage(byte[] message) {
        Call arrived = new Call(message, signature, call, reply);
        Status status = answer;
        calls.add(arrived);
        if (status != null) {
          arrived.answer(status);
        }
      }
    };
  }
}
