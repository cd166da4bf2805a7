package io.taskbroker.client.grpc;

import io.grpc.Status;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import io.taskbroker.protocol.v1.BrokerMessage;
import io.taskbroker.protocol.v1.Hello;
import io.taskbroker.protocol.v1.Result;
import io.taskbroker.protocol.v1.Results;
import io.taskbroker.protocol.v1.Slots;
import io.taskbroker.protocol.v1.Welcome;
import io.taskbroker.protocol.v1.WorkerMessage;
import io.taskbroker.protocol.v1.WorkerServiceGrpc.WorkerServiceStub;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// One stream to a broker, until it ends. Guarded by the lock of its [StreamSender], apart from the
/// callbacks and [#send].
final class WorkerStream implements ClientResponseObserver<WorkerMessage, BrokerMessage> {
  private static final int MAX_RESULTS = 1_000;
  private static final int FEW_MESSAGES = 2;
  private static final int MAX_MESSAGES = 8;
  private static final int MANY_RESULTS = 100;
  private static final int MAX_BYTES = 512 << 10;
  private static final long DEFAULT_LEASE_NANOS = 5_000_000_000L;

  private final StreamSource source;
  private final TreeMap<Long, List<Result>> unacknowledged = new TreeMap<>();
  private @Nullable ClientCallStreamObserver<WorkerMessage> requests;
  private volatile @Nullable Welcome welcome;
  private boolean cancelled;
  private int slots;
  private long number;
  private volatile long lastSent = System.nanoTime();

  WorkerStream(StreamSource source) {
    this.source = source;
  }

  void open(WorkerServiceStub stub, WorkerOptions options, int slots) {
    this.slots = slots;
    stub.work(this);
    send(
        WorkerMessage.newBuilder()
            .setHello(
                Hello.newBuilder()
                    .setApplication(options.application())
                    .addAllNamespaces(options.namespaces())
                    .setSlots(slots)
                    .setWorker(options.name())
                    .setVersion(options.version()))
            .build());
  }

  @Override
  public void beforeStart(ClientCallStreamObserver<WorkerMessage> stream) {
    requests = stream;
    stream.setOnReadyHandler(source::onWritable);
  }

  boolean isWelcomed() {
    return welcome != null;
  }

  String brokerName() {
    Welcome seen = welcome;
    return seen == null ? "(unknown)" : seen.getBroker();
  }

  boolean isWritable() {
    return welcome != null && requests != null && requests.isReady();
  }

  void send(WorkerMessage message) {
    lastSent = System.nanoTime();
    if (requests != null) {
      requests.onNext(message);
    }
  }

  /// Slots that the broker was told last.
  int slots() {
    return slots;
  }

  WorkerMessage setSlots(int now) {
    slots = now;
    return WorkerMessage.newBuilder().setSlots(Slots.newBuilder().setSlots(now)).build();
  }

  /// Most results, or tasks of a heartbeat, in one message.
  int maxResults() {
    Welcome limits = welcome;
    return limits == null || limits.getMaxResults() == 0
        ? MAX_RESULTS
        : Math.min(MAX_RESULTS, limits.getMaxResults());
  }

  /// Whether results may be sent now. The broker makes what it has got durable in one go, and
  /// answers then: while it does that, one message waits for its next go, and more would only cost
  /// both sides time. So results wait for an answer while two messages are unanswered, unless they
  /// keep an eighth of the slots from getting tasks, or are a hundred.
  ///
  /// @param waiting number of results that could be sent
  boolean maySendResults(int waiting) {
    int unanswered = unacknowledged.size();
    return unanswered < FEW_MESSAGES
        || (unanswered < MAX_MESSAGES && waiting >= Math.min(MANY_RESULTS, slots / 8));
  }

  /// Takes results from the queue, which is not empty, and remembers them until they are
  /// acknowledged.
  WorkerMessage nextResults(Queue<Result> queue) {
    int most = maxResults();
    List<Result> batch = new ArrayList<>(Math.min(most, queue.size()));
    int bytes = 0;
    for (Result next = queue.peek();
        next != null && batch.size() < most && (batch.isEmpty() || bytes < MAX_BYTES);
        next = queue.peek()) {
      bytes += next.getSerializedSize();
      batch.add(queue.remove());
    }
    number++;
    unacknowledged.put(number, batch);
    return WorkerMessage.newBuilder()
        .setResults(Results.newBuilder().setNumber(number).addAllResults(batch))
        .build();
  }

  void acknowledged(long number) {
    unacknowledged.remove(number);
  }

  List<Result> unacknowledged() {
    List<Result> all = new ArrayList<>();
    unacknowledged.values().forEach(all::addAll);
    return all;
  }

  /// Whether the broker would take the worker for dead if it heard nothing more.
  boolean isHeartbeatDue(boolean hasTasks) {
    Welcome seen = welcome;
    long lease =
        seen == null || !seen.hasLease()
            ? DEFAULT_LEASE_NANOS
            : seen.getLease().getSeconds() * 1_000_000_000L + seen.getLease().getNanos();
    return hasTasks && System.nanoTime() - lastSent >= lease / 4;
  }

  void halfClose() {
    if (requests != null && !cancelled) {
      requests.onCompleted();
    }
  }

  void cancel() {
    cancelled = true;
    if (requests != null) {
      requests.cancel("The worker stops", null);
    }
  }

  @Override
  public void onNext(BrokerMessage message) {
    if (message.hasWelcome()) {
      welcome = message.getWelcome();
      source.onWelcome(this);
    } else {
      source.onMessage(this, message);
    }
  }

  @Override
  public void onError(Throwable error) {
    source.onEnd(this, Status.fromThrowable(error));
  }

  @Override
  public void onCompleted() {
    source.onEnd(this, Status.OK);
  }
}
