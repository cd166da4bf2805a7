package io.taskbroker.client;

import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.stub.StreamObserver;
import io.taskbroker.protocol.v1.BrokerMessage;
import io.taskbroker.protocol.v1.Completed;
import io.taskbroker.protocol.v1.Delivery;
import io.taskbroker.protocol.v1.Heartbeat;
import io.taskbroker.protocol.v1.Hello;
import io.taskbroker.protocol.v1.Result;
import io.taskbroker.protocol.v1.Results;
import io.taskbroker.protocol.v1.WorkerMessage;
import io.taskbroker.protocol.v1.WorkerServiceGrpc;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/// Bare client of the stream, which only answers: what the worker of the SDK is compared with.
final class BareWorker implements StreamObserver<BrokerMessage> {
  private final CountDownLatch done;
  private @Nullable StreamObserver<WorkerMessage> requests;
  private long number;

  private BareWorker(CountDownLatch done) {
    this.done = done;
  }

  /// Completes tasks until the latch, which each counts down, is open.
  static void run(String address, int slots, CountDownLatch done) throws InterruptedException {
    ManagedChannel channel =
        Grpc.newChannelBuilder(address, InsecureChannelCredentials.create())
            .directExecutor()
            .build();
    var worker = new BareWorker(done);
    StreamObserver<WorkerMessage> requests = WorkerServiceGrpc.newStub(channel).work(worker);
    worker.requests = requests;
    requests.onNext(
        WorkerMessage.newBuilder().setHello(Hello.newBuilder().setSlots(slots)).build());
    done.await();
    synchronized (worker) {
      requests.onNext(
          WorkerMessage.newBuilder().setHeartbeat(Heartbeat.getDefaultInstance()).build());
      requests.onCompleted();
    }
    channel.shutdown();
  }

  @Override
  public synchronized void onNext(BrokerMessage message) {
    StreamObserver<WorkerMessage> to = requests;
    if (to == null || !message.hasDeliveries()) {
      return;
    }
    number++;
    Results.Builder results = Results.newBuilder().setNumber(number);
    List<Delivery> deliveries = message.getDeliveries().getDeliveriesList();
    for (Delivery each : deliveries) {
      results.addResults(
          Result.newBuilder()
              .setId(each.getTask().getId())
              .setToken(each.getToken())
              .setCompleted(Completed.getDefaultInstance()));
    }
    to.onNext(WorkerMessage.newBuilder().setResults(results).build());
    deliveries.forEach(each -> done.countDown());
  }

  @Override
  public void onError(Throwable error) {
    error.printStackTrace();
  }

  @Override
  public void onCompleted() {}
}
