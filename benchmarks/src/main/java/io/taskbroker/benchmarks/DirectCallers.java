package io.taskbroker.benchmarks;

import com.google.protobuf.ByteString;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import io.taskbroker.protocol.v1.EnqueueRequest;
import io.taskbroker.protocol.v1.EnqueueResponse;
import io.taskbroker.protocol.v1.EnqueueStatus;
import io.taskbroker.protocol.v1.NewTask;
import io.taskbroker.protocol.v1.Task;
import io.taskbroker.protocol.v1.TaskServiceGrpc;
import java.util.concurrent.atomic.LongAdder;

/// Callers that enqueue one task a call, each again when it has its answer. Thread-safe.
final class DirectCallers implements DirectLoad {
  private final ManagedChannel channel;
  private final TaskServiceGrpc.TaskServiceStub stub;
  private final EnqueueRequest request;
  private final int callers;
  private final LongAdder accepted = new LongAdder();
  private volatile boolean closed;

  DirectCallers(int port, int callers, int argumentBytes) {
    this.callers = callers;
    this.channel =
        NettyChannelBuilder.forAddress("127.0.0.1", port)
            .usePlaintext()
            .directExecutor()
            .disableRetry()
            .build();
    this.stub = TaskServiceGrpc.newStub(channel);
    this.request =
        EnqueueRequest.newBuilder()
            .addTasks(
                NewTask.newBuilder()
                    .setTask(
                        Task.newBuilder()
                            .setName("bench")
                            .setArguments(ByteString.copyFrom(new byte[argumentBytes]))))
            .build();
  }

  @Override
  public void start() {
    for (int i = 0; i < callers; i++) {
      new Caller().call();
    }
  }

  @Override
  public void forget() {
    accepted.reset();
  }

  @Override
  public long done() {
    return accepted.sum();
  }

  @Override
  public void close() {
    closed = true;
    channel.shutdownNow();
  }

  private final class Caller implements StreamObserver<EnqueueResponse> {
    void call() {
      if (!closed) {
        stub.enqueue(request, this);
      }
    }

    @Override
    public void onNext(EnqueueResponse response) {
      if (response.getResults(0).getStatus() != EnqueueStatus.ENQUEUE_STATUS_ACCEPTED) {
        throw new IllegalStateException("Not accepted: " + response);
      }
      accepted.increment();
    }

    @Override
    public void onError(Throwable error) {
      if (!closed) {
        throw new IllegalStateException("Enqueue failed: " + Status.fromThrowable(error));
      }
    }

    @Override
    public void onCompleted() {
      call();
    }
  }
}
