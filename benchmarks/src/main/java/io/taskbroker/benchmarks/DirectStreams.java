package io.taskbroker.benchmarks;

import io.grpc.Attributes;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import io.taskbroker.protocol.v1.BrokerMessage;
import io.taskbroker.protocol.v1.Hello;
import io.taskbroker.protocol.v1.WorkerMessage;
import io.taskbroker.protocol.v1.WorkerServiceGrpc;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/// Worker streams without tasks, from several addresses of this machine, since one address may have
/// half of the broker's memory for calls only. Thread-safe.
final class DirectStreams implements DirectLoad {
  private static final int PER_CONNECTION = 500;
  private static final int ADDRESSES = 4;
  private static final long OPEN_SECONDS = 60;

  private final List<ManagedChannel> channels = new ArrayList<>();
  private final int streams;
  private final CountDownLatch welcomed;
  private final AtomicInteger ended = new AtomicInteger();

  DirectStreams(int port, int streams) {
    this.streams = streams;
    this.welcomed = new CountDownLatch(streams);
    for (int i = 0; i < Math.ceilDiv(streams, PER_CONNECTION); i++) {
      InetAddress from = InetAddress.ofLiteral("127.0.0." + (1 + i % ADDRESSES));
      channels.add(
          NettyChannelBuilder.forAddress("127.0.0.1", port)
              .usePlaintext()
              .directExecutor()
              .localSocketPicker(
                  new NettyChannelBuilder.LocalSocketPicker() {
                    @Override
                    public InetSocketAddress createSocketAddress(
                        SocketAddress remote, Attributes attributes) {
                      return new InetSocketAddress(from, 0);
                    }
                  })
              .build());
    }
  }

  @Override
  public void start() throws InterruptedException {
    WorkerMessage hello =
        WorkerMessage.newBuilder()
            .setHello(Hello.newBuilder().setApplication("idle").setSlots(10))
            .build();
    for (int i = 0; i < streams; i++) {
      WorkerServiceGrpc.newStub(channels.get(i / PER_CONNECTION)).work(new Idle()).onNext(hello);
    }
    if (!welcomed.await(OPEN_SECONDS, TimeUnit.SECONDS)) {
      throw new IllegalStateException(
          welcomed.getCount() + " streams were not welcomed, " + ended + " ended");
    }
  }

  @Override
  public void forget() {}

  @Override
  public long done() {
    return 0;
  }

  @Override
  public void figures(Map<String, Object> figures) {
    figures.put("streams", streams - ended.get());
    figures.put("streams_ended", ended.get());
  }

  @Override
  public void close() {
    channels.forEach(ManagedChannel::shutdownNow);
  }

  private final class Idle implements StreamObserver<BrokerMessage> {
    @Override
    public void onNext(BrokerMessage message) {
      welcomed.countDown();
    }

    @Override
    public void onError(Throwable error) {
      ended.incrementAndGet();
    }

    @Override
    public void onCompleted() {
      ended.incrementAndGet();
    }
  }
}
