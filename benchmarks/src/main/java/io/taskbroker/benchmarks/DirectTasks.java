package io.taskbroker.benchmarks;

import com.google.protobuf.ByteString;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import io.taskbroker.protocol.v1.EnqueueRequest;
import io.taskbroker.protocol.v1.EnqueueResponse;
import io.taskbroker.protocol.v1.EnqueueResult;
import io.taskbroker.protocol.v1.EnqueueStatus;
import io.taskbroker.protocol.v1.NewTask;
import io.taskbroker.protocol.v1.Task;
import io.taskbroker.protocol.v1.TaskServiceGrpc;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// Tasks that one `EnqueueStream` enqueues and workers run, if there are any. Thread-safe.
final class DirectTasks implements DirectLoad {
  /// Requests of a stream that may be unanswered.
  private static final int UNANSWERED = 16;

  private final ManagedChannel channel;
  private final int batch;
  private final int rate;
  private final int argumentBytes;
  private final @Nullable DirectWorkers workers;
  private final Semaphore requests = new Semaphore(UNANSWERED);
  private final LongAdder accepted = new LongAdder();

  /// Tasks that may be enqueued before others have ended.
  private final Semaphore room;

  private volatile boolean closed;

  private DirectTasks(int port, int window, int batch, int rate, int argumentBytes, int millis) {
    this.channel =
        NettyChannelBuilder.forAddress("127.0.0.1", port)
            .usePlaintext()
            .directExecutor()
            .maxInboundMessageSize(Integer.MAX_VALUE)
            .build();
    this.batch = batch;
    this.rate = rate;
    this.argumentBytes = argumentBytes;
    this.room = new Semaphore(window);
    this.workers = millis < 0 ? null : new DirectWorkers(channel, millis, room::release);
  }

  static DirectTasks running(int port, int window, int batch, int argumentBytes, int millis) {
    return new DirectTasks(port, window, batch, 0, argumentBytes, millis);
  }

  static DirectTasks enqueuing(int port, int batch, int argumentBytes) {
    return new DirectTasks(port, Integer.MAX_VALUE, batch, 0, argumentBytes, -1);
  }

  static DirectTasks atARate(int port, int rate, int argumentBytes, int millis) {
    return new DirectTasks(port, Integer.MAX_VALUE, 1, rate, argumentBytes, millis);
  }

  @Override
  public void start() {
    if (workers != null) {
      workers.start();
    }
    StreamObserver<EnqueueRequest> stream =
        TaskServiceGrpc.newStub(channel).enqueueStream(new Responses());
    Thread.ofPlatform().name("enqueue").daemon().start(() -> enqueue(stream));
  }

  private void enqueue(StreamObserver<EnqueueRequest> stream) {
    long begun = System.nanoTime();
    try {
      for (long number = 0; !closed; number++) {
        long due = System.nanoTime();
        if (rate > 0) {
          due = begun + number * TimeUnit.SECONDS.toNanos(1) / rate;
          for (long left = due - System.nanoTime(); left > 0; left = due - System.nanoTime()) {
            LockSupport.parkNanos(left);
          }
        }
        room.acquire(batch);
        requests.acquire();
        stream.onNext(request(due));
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    } catch (IllegalStateException e) {
      if (!closed) {
        throw e;
      }
    }
  }

  /// Tasks whose arguments begin with the time at which they were due.
  private EnqueueRequest request(long due) {
    byte[] arguments = new byte[Math.max(Long.BYTES, argumentBytes)];
    ByteBuffer.wrap(arguments).putLong(due);
    NewTask task =
        NewTask.newBuilder()
            .setTask(
                Task.newBuilder().setName("bench").setArguments(ByteString.copyFrom(arguments)))
            .build();
    EnqueueRequest.Builder request = EnqueueRequest.newBuilder();
    for (int i = 0; i < batch; i++) {
      request.addTasks(task);
    }
    return request.build();
  }

  @Override
  public void forget() {
    accepted.reset();
    if (workers != null) {
      workers.forget();
    }
  }

  @Override
  public long done() {
    return workers == null ? accepted.sum() : workers.done();
  }

  @Override
  public void figures(Map<String, Object> figures) {
    figures.put("enqueued", accepted.sum());
    if (workers != null) {
      workers.figures(figures);
    }
  }

  @Override
  public void close() {
    closed = true;
    if (workers != null) {
      workers.close();
    }
    channel.shutdownNow();
  }

  private final class Responses implements StreamObserver<EnqueueResponse> {
    @Override
    public void onNext(EnqueueResponse response) {
      requests.release();
      for (EnqueueResult result : response.getResultsList()) {
        if (result.getStatus() == EnqueueStatus.ENQUEUE_STATUS_ACCEPTED) {
          accepted.increment();
        } else {
          room.release();
        }
      }
    }

    @Override
    public void onError(Throwable error) {
      if (!closed) {
        throw new IllegalStateException("EnqueueStream failed: " + Status.fromThrowable(error));
      }
    }

    @Override
    public void onCompleted() {}
  }
}
