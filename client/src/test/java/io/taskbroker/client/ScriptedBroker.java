package io.taskbroker.client;

import io.grpc.InsecureServerCredentials;
import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import io.taskbroker.protocol.v1.BrokerMessage;
import io.taskbroker.protocol.v1.Deliveries;
import io.taskbroker.protocol.v1.Delivery;
import io.taskbroker.protocol.v1.Results;
import io.taskbroker.protocol.v1.ResultsAck;
import io.taskbroker.protocol.v1.Welcome;
import io.taskbroker.protocol.v1.WorkerMessage;
import io.taskbroker.protocol.v1.WorkerServiceGrpc;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Peer of workers that speaks the protocol of the stream as a test says: which tasks it delivers,
/// and when it answers results. One worker at a time. Thread-safe.
final class ScriptedBroker extends WorkerServiceGrpc.WorkerServiceImplBase
    implements AutoCloseable {
  private static final int LEASE_SECONDS = 60;
  private static final int MAX_RESULTS = 1_000;

  private final BlockingQueue<Integer> opened = new LinkedBlockingQueue<>();
  private final Consumer<Results> onResults;
  private final Server server;
  private @Nullable StreamObserver<BrokerMessage> worker;

  /// @param onResults called with each message of results, one at a time
  ScriptedBroker(Consumer<Results> onResults) throws IOException {
    this.onResults = onResults;
    this.server =
        NettyServerBuilder.forAddress(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                InsecureServerCredentials.create())
            .directExecutor()
            .addService(this)
            .build()
            .start();
  }

  String address() {
    return "localhost:" + server.getPort();
  }

  /// Waits until a worker has opened a stream.
  void awaitWorker() throws InterruptedException {
    opened.take();
  }

  void deliver(List<Delivery> deliveries) {
    send(
        BrokerMessage.newBuilder()
            .setDeliveries(Deliveries.newBuilder().addAllDeliveries(deliveries))
            .build());
  }

  void acknowledge(Results results) {
    send(
        BrokerMessage.newBuilder()
            .setResultsAck(ResultsAck.newBuilder().setNumber(results.getNumber()))
            .build());
  }

  private synchronized void send(BrokerMessage message) {
    if (worker != null) {
      worker.onNext(message);
    }
  }

  @Override
  public StreamObserver<WorkerMessage> work(StreamObserver<BrokerMessage> responses) {
    return new StreamObserver<>() {
      @Override
      public void onNext(WorkerMessage message) {
        if (message.hasHello()) {
          welcome(responses);
          opened.add(message.getHello().getSlots());
        } else if (message.hasResults()) {
          onResults.accept(message.getResults());
        }
      }

      @Override
      public void onError(Throwable error) {}

      @Override
      public void onCompleted() {
        responses.onCompleted();
      }
    };
  }

  private synchronized void welcome(StreamObserver<BrokerMessage> responses) {
    worker = responses;
    responses.onNext(
        BrokerMessage.newBuilder()
            .setWelcome(
                Welcome.newBuilder()
                    .setBroker("scripted")
                    .setMaxResults(MAX_RESULTS)
                    .setLease(com.google.protobuf.Duration.newBuilder().setSeconds(LEASE_SECONDS)))
            .build());
  }

  @Override
  public void close() {
    server.shutdownNow();
  }
}
