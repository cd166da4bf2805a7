package io.taskbroker.client.grpc;

import io.grpc.stub.AbstractStub;
import io.grpc.stub.StreamObserver;
import io.taskbroker.client.BrokerUnavailableException;
import io.taskbroker.client.TaskState;
import io.taskbroker.client.spi.TaskTransport;
import io.taskbroker.protocol.v1.AwaitRequest;
import io.taskbroker.protocol.v1.AwaitResponse;
import io.taskbroker.protocol.v1.CancelRequest;
import io.taskbroker.protocol.v1.CancelResponse;
import io.taskbroker.protocol.v1.GetRequest;
import io.taskbroker.protocol.v1.GetResponse;
import io.taskbroker.protocol.v1.NewTask;
import io.taskbroker.protocol.v1.ScheduleServiceGrpc.ScheduleServiceStub;
import io.taskbroker.protocol.v1.TaskServiceGrpc.TaskServiceStub;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Transport over `taskbroker.v1`. Calls go to the brokers in turn, except those whose last
/// connection attempt failed. Thread-safe.
public final class GrpcTransport implements TaskTransport {
  private static final Duration TIMEOUT = Duration.ofSeconds(30);
  private static final Duration FIRST_PAUSE = Duration.ofMillis(50);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(2);

  private final BrokerConnections connections;
  private final List<BrokerConnection> brokers;
  private final List<Enqueuer> enqueuers = new ArrayList<>();
  private final AtomicInteger turn = new AtomicInteger();

  public GrpcTransport(BrokerConnections connections) {
    this.connections = connections;
    this.brokers = connections.brokers();
    for (BrokerConnection each : brokers) {
      enqueuers.add(
          new Enqueuer(each, connections.timer(), connections.options().enqueueTimeout()));
    }
  }

  @Override
  public CompletableFuture<Enqueued> enqueue(NewTask call, boolean waits) {
    int first = Math.floorMod(turn.getAndIncrement(), brokers.size());
    int chosen = first;
    for (int i = 0; i < brokers.size(); i++) {
      int candidate = (first + i) % brokers.size();
      if (!brokers.get(candidate).isFailing()) {
        chosen = candidate;
        break;
      }
    }
    return enqueuers.get(chosen).enqueue(call, waits);
  }

  @Override
  public GetResponse get(String broker, String id) {
    return call(
        "get task " + id,
        broker,
        TIMEOUT,
        (TaskServiceStub stub, StreamObserver<GetResponse> answer) ->
            stub.get(GetRequest.newBuilder().setId(id).build(), answer));
  }

  @Override
  public AwaitResponse await(String broker, String id, Duration timeout) {
    int seconds = Math.clamp(timeout.toSeconds(), 1, 3_600);
    return call(
        "wait for task " + id,
        broker,
        timeout,
        (TaskServiceStub stub, StreamObserver<AwaitResponse> answer) ->
            stub.await(
                AwaitRequest.newBuilder().setId(id).setTimeoutSeconds(seconds).build(), answer));
  }

  @Override
  public TaskState cancel(String broker, String id) {
    CancelResponse response =
        call(
            "cancel task " + id,
            broker,
            TIMEOUT,
            (TaskServiceStub stub, StreamObserver<CancelResponse> answer) ->
                stub.cancel(CancelRequest.newBuilder().setId(id).build(), answer));
    return TaskState.of(response.getState());
  }

  /// Calls a method of the schedules of the first broker.
  ///
  /// @param doing such as "pause schedule x", for the error
  public <A> A schedules(String doing, BiConsumer<ScheduleServiceStub, StreamObserver<A>> method) {
    return call(doing, brokers.getFirst(), TIMEOUT, BrokerConnection::schedules, method);
  }

  private <A> A call(
      String doing,
      String target,
      Duration timeout,
      BiConsumer<TaskServiceStub, StreamObserver<A>> method) {
    return call(doing, broker(target), timeout, BrokerConnection::tasks, method);
  }

  /// Calls until there is an answer, an error that lasts, or the time is over.
  private static <S extends AbstractStub<S>, A> A call(
      String doing,
      BrokerConnection broker,
      Duration timeout,
      Function<BrokerConnection, S> service,
      BiConsumer<S, StreamObserver<A>> method) {
    long end = System.nanoTime() + timeout.toNanos();
    var backoff = new Backoff(FIRST_PAUSE, LONGEST_PAUSE);
    while (true) {
      var answer = new Unary<A>();
      long left = Math.max(1, end - System.nanoTime());
      // A second more: the broker answers at the end of the time, and the answer takes a while.
      method.accept(
          service.apply(broker).withDeadlineAfter(left + 1_000_000_000L, TimeUnit.NANOSECONDS),
          answer);
      try {
        return answer.future.get();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new BrokerUnavailableException("Interrupted while waiting to " + doing, e);
      } catch (ExecutionException e) {
        Throwable cause = e.getCause() == null ? e : e.getCause();
        long pause = backoff.next();
        if (!Errors.isTransient(cause) || end - System.nanoTime() < pause) {
          throw Errors.of(doing + " at " + broker.target(), cause);
        }
        pause(pause, doing);
        broker.connectNow();
      }
    }
  }

  private static void pause(long nanos, String doing) {
    try {
      TimeUnit.NANOSECONDS.sleep(nanos);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new BrokerUnavailableException("Interrupted while waiting to " + doing, e);
    }
  }

  private BrokerConnection broker(String target) {
    for (BrokerConnection each : brokers) {
      if (each.target().equals(target)) {
        return each;
      }
    }
    return brokers.getFirst();
  }

  private static final class Unary<A> implements StreamObserver<A> {
    final CompletableFuture<A> future = new CompletableFuture<>();
    private @Nullable A value;

    @Override
    public void onNext(A answer) {
      value = answer;
    }

    @Override
    public void onError(Throwable error) {
      future.completeExceptionally(error);
    }

    @Override
    public void onCompleted() {
      A answer = value;
      if (answer == null) {
        future.completeExceptionally(new IllegalStateException("The answer is empty"));
      } else {
        future.complete(answer);
      }
    }
  }

  @Override
  public void close() {
    enqueuers.forEach(Enqueuer::close);
    connections.close();
  }
}
