package io.taskbroker.cli;

import io.grpc.Attributes;
import io.grpc.Server;
import io.grpc.ServerTransportFilter;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.taskbroker.proto.v1.PushTaskRequest;
import io.taskbroker.proto.v1.PushTaskResponse;
import io.taskbroker.proto.v1.WorkerServiceGrpc;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.atomic.AtomicInteger;

/// Worker that accepts every call and answers none. Thread-safe.
final class SilentWorker extends WorkerServiceGrpc.WorkerServiceImplBase implements AutoCloseable {
  private final AtomicInteger connections = new AtomicInteger();
  private final AtomicInteger calls = new AtomicInteger();
  private final AtomicInteger underWay = new AtomicInteger();
  private final AtomicInteger most = new AtomicInteger();
  private final Server server;

  SilentWorker() throws IOException {
    server =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0))
            .directExecutor()
            .addTransportFilter(
                new ServerTransportFilter() {
                  @Override
                  public Attributes transportReady(Attributes transport) {
                    connections.incrementAndGet();
                    return transport;
                  }
                })
            .addService(this)
            .build()
            .start();
  }

  @Override
  public void pushTask(PushTaskRequest request, StreamObserver<PushTaskResponse> response) {
    calls.incrementAndGet();
    most.accumulateAndGet(underWay.incrementAndGet(), Math::max);
    ((ServerCallStreamObserver<PushTaskResponse>) response)
        .setOnCancelHandler(underWay::decrementAndGet);
  }

  String url() {
    return "http://127.0.0.1:" + server.getPort();
  }

  /// Total connections, total calls, and maximum of concurrent calls.
  int connections() {
    return connections.get();
  }

  int calls() {
    return calls.get();
  }

  int mostAtATime() {
    return most.get();
  }

  @Override
  public void close() {
    server.shutdownNow();
  }
}
