package io.taskbroker.benchmarks;

import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import io.taskbroker.protocol.v1.BrokerMessage;
import io.taskbroker.protocol.v1.Completed;
import io.taskbroker.protocol.v1.Deliveries;
import io.taskbroker.protocol.v1.Delivery;
import io.taskbroker.protocol.v1.Heartbeat;
import io.taskbroker.protocol.v1.Hello;
import io.taskbroker.protocol.v1.Result;
import io.taskbroker.protocol.v1.Results;
import io.taskbroker.protocol.v1.WorkerMessage;
import io.taskbroker.protocol.v1.WorkerServiceGrpc;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.IntConsumer;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/// Workers that complete each task after a fixed time, the tasks of one message together.
/// Thread-safe.
final class DirectWorkers implements AutoCloseable {
  private static final int WORKERS = 4;
  private static final int SLOTS = 8_000;
  private static final long HEARTBEAT_MILLIS = 1_000;
  private static final Completed COMPLETED = Completed.getDefaultInstance();

  private final ManagedChannel channel;
  private final int millis;
  private final IntConsumer ended;
  private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
  private final LongAdder acknowledged = new LongAdder();
  private final Histogram starts = new ConcurrentHistogram(3);
  private volatile boolean closed;

  /// @param ended told how many tasks were acknowledged
  DirectWorkers(ManagedChannel channel, int millis, IntConsumer ended) {
    this.channel = channel;
    this.millis = millis;
    this.ended = ended;
  }

  void start() {
    for (int i = 0; i < WORKERS; i++) {
      new Worker().open();
    }
  }

  void forget() {
    acknowledged.reset();
    starts.reset();
  }

  long done() {
    return acknowledged.sum();
  }

  void figures(Map<String, Object> figures) {
    figures.put("start_us_p50", starts.getValueAtPercentile(50));
    figures.put("start_us_p99", starts.getValueAtPercentile(99));
    figures.put("start_us_max", starts.getMaxValue());
  }

  @Override
  public void close() {
    closed = true;
    timer.shutdownNow();
  }

  private final class Worker implements StreamObserver<BrokerMessage> {
    private final Map<Long, Integer> unanswered = new HashMap<>();
    private @Nullable StreamObserver<WorkerMessage> stream;
    private long number;

    synchronized void open() {
      stream = WorkerServiceGrpc.newStub(channel).work(this);
      send(WorkerMessage.newBuilder().setHello(Hello.newBuilder().setSlots(SLOTS)).build());
      WorkerMessage alive =
          WorkerMessage.newBuilder().setHeartbeat(Heartbeat.getDefaultInstance()).build();
      var _ =
          timer.scheduleAtFixedRate(
              () -> send(alive), HEARTBEAT_MILLIS, HEARTBEAT_MILLIS, TimeUnit.MILLISECONDS);
    }

    private synchronized void send(WorkerMessage message) {
      if (stream != null && !closed) {
        stream.onNext(message);
      }
    }

    @Override
    public void onNext(BrokerMessage message) {
      if (message.hasDeliveries()) {
        begin(message.getDeliveries());
      } else if (message.hasResultsAck()) {
        int count;
        synchronized (this) {
          count =
              Objects.requireNonNullElse(unanswered.remove(message.getResultsAck().getNumber()), 0);
        }
        acknowledged.add(count);
        ended.accept(count);
      }
    }

    private void begin(Deliveries deliveries) {
      long now = System.nanoTime();
      List<Result> results = new ArrayList<>(deliveries.getDeliveriesCount());
      for (Delivery delivery : deliveries.getDeliveriesList()) {
        long sent = delivery.getTask().getArguments().asReadOnlyByteBuffer().getLong();
        starts.recordValue(Math.max(0, now - sent) / 1_000);
        results.add(
            Result.newBuilder()
                .setId(delivery.getTask().getId())
                .setToken(delivery.getToken())
                .setCompleted(COMPLETED)
                .build());
      }
      if (!closed) {
        var _ = timer.schedule(() -> report(results), millis, TimeUnit.MILLISECONDS);
      }
    }

    private synchronized void report(List<Result> results) {
      number++;
      unanswered.put(number, results.size());
      send(
          WorkerMessage.newBuilder()
              .setResults(Results.newBuilder().setNumber(number).addAllResults(results))
              .build());
    }

    @Override
    public void onError(Throwable error) {
      if (!closed) {
        throw new IllegalStateException("A worker stream failed: " + Status.fromThrowable(error));
      }
    }

    @Override
    public void onCompleted() {}
  }
}
