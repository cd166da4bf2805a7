package io.taskbroker.testkit;

import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import io.taskbroker.protocol.v1.AttemptToken;
import io.taskbroker.protocol.v1.BrokerMessage;
import io.taskbroker.protocol.v1.Completed;
import io.taskbroker.protocol.v1.Delivery;
import io.taskbroker.protocol.v1.Heartbeat;
import io.taskbroker.protocol.v1.Hello;
import io.taskbroker.protocol.v1.Result;
import io.taskbroker.protocol.v1.ResultStatus;
import io.taskbroker.protocol.v1.Results;
import io.taskbroker.protocol.v1.ResultsAck;
import io.taskbroker.protocol.v1.Slots;
import io.taskbroker.protocol.v1.TaskHeartbeat;
import io.taskbroker.protocol.v1.WorkerMessage;
import io.taskbroker.protocol.v1.WorkerServiceGrpc;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// Worker over `taskbroker.v1`: runs each task for a fixed time, completes it, and connects again
/// whenever its stream ends, with the attempts that it has. Thread-safe.
public final class StreamWorker implements AutoCloseable {
  private static final long HEARTBEAT_MS = 1_000;
  private static final long RECONNECT_MS = 50;

  private final ManagedChannel channel;
  private final Listener listener;
  private final Hello hello;
  private final Duration runTime;
  private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();

  /// Attempts whose results are not acknowledged, and whether they have ended.
  private final Map<AttemptToken, Attempt> attempts = new HashMap<>();

  private @Nullable StreamObserver<WorkerMessage> stream;
  private long number;
  private boolean held;
  private boolean welcome;
  private boolean closed;

  /// Observer of a worker; called while the worker is locked.
  public interface Listener {
    void started(Delivery delivery);

    /// The broker answered the result.
    void answered(Delivery delivery, ResultStatus status);
  }

  private static final class Attempt {
    final Delivery delivery;
    boolean done;
    long sentAs;

    Attempt(Delivery delivery) {
      this.delivery = delivery;
    }
  }

  private StreamWorker(int port, Hello hello, Duration runTime, Listener listener) {
    this.channel =
        NettyChannelBuilder.forAddress("127.0.0.1", port)
            .usePlaintext()
            .maxInboundMessageSize(16 << 20)
            .build();
    this.hello = hello;
    this.runTime = runTime;
    this.listener = listener;
  }

  /// Starts a worker of the application "default".
  public static StreamWorker start(int port, int slots, Duration runTime, Listener listener) {
    return start(port, Hello.newBuilder().setSlots(slots).build(), runTime, listener);
  }

  /// Starts a worker that introduces itself so.
  public static StreamWorker start(int port, Hello hello, Duration runTime, Listener listener) {
    var worker = new StreamWorker(port, hello, runTime, listener);
    worker.open();
    var _ =
        worker.timer.scheduleAtFixedRate(
            worker::heartbeat, HEARTBEAT_MS, HEARTBEAT_MS, TimeUnit.MILLISECONDS);
    return worker;
  }

  /// Whether the broker has answered the stream that is open now.
  public synchronized boolean isWelcome() {
    return welcome;
  }

  private synchronized void welcomed() {
    welcome = true;
  }

  /// Sends no results, as if all tasks took longer, until [#releaseResults].
  public synchronized void holdResults() {
    held = true;
  }

  public synchronized void releaseResults() {
    held = false;
    attempts.values().stream().filter(attempt -> attempt.sentAs == 0).forEach(this::report);
  }

  @Override
  public void close() {
    synchronized (this) {
      closed = true;
    }
    timer.shutdownNow();
    channel.shutdownNow();
  }

  private synchronized void open() {
    if (closed) {
      return;
    }
    number = 0;
    channel.resetConnectBackoff(); // its pauses are longer than those of a worker may be
    stream = WorkerServiceGrpc.newStub(channel).work(new Messages());
    // Free slots first: the broker may deliver before it has read which tasks the worker has.
    int free = Math.max(0, hello.getSlots() - attempts.size());
    stream.onNext(WorkerMessage.newBuilder().setHello(hello.toBuilder().setSlots(free)).build());
    heartbeat();
    if (free < hello.getSlots()) {
      stream.onNext(
          WorkerMessage.newBuilder()
              .setSlots(Slots.newBuilder().setSlots(hello.getSlots()))
              .build());
    }
    attempts.values().forEach(this::report);
  }

  private synchronized void heartbeat() {
    if (stream != null && !attempts.isEmpty()) {
      Heartbeat.Builder running = Heartbeat.newBuilder();
      attempts
          .values()
          .forEach(attempt ->
              running.addTasks(
                  TaskHeartbeat.newBuilder()
                      .setId(attempt.delivery.getTask().getId())
                      .setToken(attempt.delivery.getToken())));
      stream.onNext(WorkerMessage.newBuilder().setHeartbeat(running).build());
    }
  }

  private synchronized void begin(Delivery delivery) {
    var attempt = new Attempt(delivery);
    attempts.put(delivery.getToken(), attempt);
    listener.started(delivery);
    if (!closed) {
      var _ = timer.schedule(() -> end(attempt), runTime.toMillis(), TimeUnit.MILLISECONDS);
    }
  }

  private synchronized void end(Attempt attempt) {
    attempt.done = true;
    report(attempt);
  }

  private void report(Attempt attempt) {
    if (stream != null && attempt.done && !held) {
      attempt.sentAs = ++number;
      stream.onNext(
          WorkerMessage.newBuilder()
              .setResults(
                  Results.newBuilder()
                      .setNumber(number)
                      .addResults(
                          Result.newBuilder()
                              .setId(attempt.delivery.getTask().getId())
                              .setToken(attempt.delivery.getToken())
                              .setCompleted(Completed.getDefaultInstance())))
              .build());
    }
  }

  private synchronized void acknowledged(ResultsAck ack) {
    ResultStatus status =
        ack.getStatusesCount() == 0 ? ResultStatus.RESULT_STATUS_ACCEPTED : ack.getStatuses(0);
    for (Attempt attempt : List.copyOf(attempts.values())) {
      if (attempt.sentAs == ack.getNumber() && attempt.done) {
        attempts.remove(attempt.delivery.getToken());
        listener.answered(attempt.delivery, status);
      }
    }
  }

  private synchronized void ended() {
    stream = null;
    welcome = false;
    attempts.values().forEach(attempt -> attempt.sentAs = 0);
    if (!closed) {
      var _ = timer.schedule(this::open, RECONNECT_MS, TimeUnit.MILLISECONDS);
    }
  }

  private final class Messages implements StreamObserver<BrokerMessage> {
    @Override
    public void onNext(BrokerMessage message) {
      message.getDeliveries().getDeliveriesList().forEach(StreamWorker.this::begin);
      if (message.hasWelcome()) {
        welcomed();
      }
      if (message.hasResultsAck()) {
        acknowledged(message.getResultsAck());
      }
    }

    @Override
    public void onError(Throwable error) {
      ended();
    }

    @Override
    public void onCompleted() {
      ended();
    }
  }
}
