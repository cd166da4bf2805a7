package io.taskbroker.client.grpc;

import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import io.taskbroker.proto.v1.GetTaskRequest;
import io.taskbroker.proto.v1.GetTaskResponse;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Work source that asks a broker in pull mode for one task at a time, by the compatible contract.
/// Without a task it pauses for 20 ms to 1 s. Heartbeats and progress have no effect.
public final class PullSource extends ContractSource {
  private static final Logger log = LoggerFactory.getLogger(PullSource.class);
  private static final Duration FIRST_PAUSE = Duration.ofMillis(20);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(1);

  private volatile boolean connected;
  private @Nullable Thread puller;

  public PullSource(
      BrokerConnection broker,
      ScheduledExecutorService timer,
      WorkerOptions options,
      RunningTasks tasks,
      Counts counts) {
    super(broker, timer, options, tasks, counts);
  }

  @Override
  public void start() {
    puller = Thread.ofVirtual().name("taskbroker-puller").start(this::pull);
  }

  private void pull() {
    GetTaskRequest.Builder request =
        GetTaskRequest.newBuilder().setApplication(options.application());
    if (options.namespaces().size() == 1) {
      request.setNamespace(options.namespaces().getFirst());
    }
    GetTaskRequest wish = request.build();
    var backoff = new Backoff(FIRST_PAUSE, LONGEST_PAUSE);
    try {
      while (!isDraining()) {
        slots().acquire();
        GetTaskResponse response = isDraining() || !hasRoom() ? null : get(wish);
        if (response != null && response.hasTask()) {
          backoff.reset();
          run(response.getTask());
        } else {
          slots().release();
          TimeUnit.NANOSECONDS.sleep(backoff.next());
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /// Null if there is no task, or no answer.
  private @Nullable GetTaskResponse get(GetTaskRequest request) throws InterruptedException {
    var answer = new CompletableFuture<GetTaskResponse>();
    broker
        .consumers()
        .withDeadlineAfter(10, TimeUnit.SECONDS)
        .getTask(
            request,
            new StreamObserver<>() {
              @Override
              public void onNext(GetTaskResponse value) {
                answer.complete(value);
              }

              @Override
              public void onError(Throwable error) {
                answer.completeExceptionally(error);
              }

              @Override
              public void onCompleted() {}
            });
    try {
      GetTaskResponse response = answer.get();
      connected = true;
      return response;
    } catch (ExecutionException e) {
      Status status = Status.fromThrowable(e);
      boolean empty = status.getCode() == Status.Code.NOT_FOUND;
      if (!empty && connected) {
        log.warn("Could not get a task of {}: {}", broker.target(), status);
      }
      connected = empty;
      return null;
    }
  }

  @Override
  public boolean isConnected() {
    return connected;
  }

  @Override
  public void close(Duration timeout) throws InterruptedException {
    super.close(timeout);
    Thread thread = puller;
    if (thread != null) {
      // Not while it waits for an answer, which may bring a task.
      thread.join(timeout);
      thread.interrupt();
    }
  }
}
