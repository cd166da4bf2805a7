package io.taskbroker.testkit;

import com.google.protobuf.InvalidProtocolBufferException;
import io.grpc.Status;
import io.taskbroker.proto.v1.FetchNextTask;
import io.taskbroker.proto.v1.GetTaskRequest;
import io.taskbroker.proto.v1.GetTaskResponse;
import io.taskbroker.proto.v1.SetTaskStatusResponse;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.testkit.Behaviour.Result;
import java.time.Duration;

/// A worker that asks for tasks, over real gRPC (reference-spec 11.9). Each of its places runs one
/// task at a time: it reports the result, until the broker has taken it, and asks for the next task
/// in the same call. Empty places share a few askers, which back off while there is nothing to do.
/// Thousands of places live on one timer thread. Thread-safe.
public final class PullWorker implements AutoCloseable {
  private static final int MAX_ASKERS = 16;
  private static final long MIN_BACKOFF_MILLIS = 2;
  private static final long MAX_EMPTY_BACKOFF_MILLIS = 32;
  private static final long MAX_ERROR_BACKOFF_MILLIS = 500;

  private final Behaviour behaviour;
  private final ExecutionLog log;
  private final byte[] question;
  private final FetchNextTask next;
  private final BrokerClient broker;
  private final TimerWheel wheel;
  private final Idleness idleness = new Idleness(this::isIdle);
  private final int places;

  // Guarded by this.
  private int empty;
  private int asking;
  private boolean paused;
  private long backoff = MIN_BACKOFF_MILLIS;

  private PullWorker(
      WorkerOptions options, String application, Behaviour behaviour, ExecutionLog log) {
    this.behaviour = behaviour;
    this.log = log;
    question = GetTaskRequest.newBuilder().setApplication(application).build().toByteArray();
    next = FetchNextTask.newBuilder().setApplication(application).build();
    broker = new BrokerClient(options.broker(), options.secrets());
    wheel = new TimerWheel("pull-worker", () -> {});
    places = options.concurrency();
    empty = places;
  }

  /// Starts a worker for the tasks of one application. It reports results one by one.
  public static PullWorker start(
      WorkerOptions options, String application, Behaviour behaviour, ExecutionLog log) {
    var worker = new PullWorker(options, application, behaviour, log);
    worker.wheel.start();
    new Patience(worker.wheel, worker.broker).begin();
    worker.ask();
    return worker;
  }

  /// How many tasks run now, or are being reported.
  public synchronized int running() {
    return places - empty - asking;
  }

  /// Waits until nothing runs and every result was taken.
  ///
  /// @return whether that came true in time
  public boolean awaitIdle(Duration timeout) throws InterruptedException {
    return idleness.await(timeout);
  }

  /// Ends like a worker that is killed: what runs is never reported.
  @Override
  public void close() {
    wheel.close();
    broker.close();
  }

  private boolean isIdle() {
    return running() == 0;
  }

  /// Sends askers out for empty places.
  private void ask() {
    while (takePlaceToAskFor()) {
      broker.call(RawMethods.GET_TASK, question, this::answered);
    }
  }

  private synchronized boolean takePlaceToAskFor() {
    if (paused || empty == 0 || asking == MAX_ASKERS) {
      return false;
    }
    empty--;
    asking++;
    return true;
  }

  private void answered(Status status, byte[] response) {
    if (status.isOk()) {
      TaskActivation task = taskOf(response);
      synchronized (this) {
        asking--;
        backoff = MIN_BACKOFF_MILLIS;
      }
      run(task);
      ask();
      return;
    }
    boolean nothing = status.getCode() == Status.Code.NOT_FOUND;
    synchronized (this) {
      asking--;
      empty++;
      if (!paused) {
        paused = true;
        schedule(this::askAgain, backoff);
        long max = nothing ? MAX_EMPTY_BACKOFF_MILLIS : MAX_ERROR_BACKOFF_MILLIS;
        backoff = Math.min(2 * backoff, max);
      }
    }
  }

  private void askAgain() {
    synchronized (this) {
      paused = false;
    }
    ask();
  }

  private void run(TaskActivation task) {
    Execution execution = Execution.start(task, behaviour, log, this::over);
    wheel.schedule(execution, execution.run.millis());
  }

  private void over(Execution execution) {
    log.finished(execution.number);
    if (execution.run.result() == Result.NO_REPORT) {
      becomeEmpty();
    } else {
      report(execution, MIN_BACKOFF_MILLIS);
    }
  }

  private void report(Execution execution, long retryAfter) {
    byte[] request = execution.report().setFetchNextTask(next).build().toByteArray();
    broker.call(
        RawMethods.SET_TASK_STATUS,
        request,
        (status, response) -> {
          switch (Acceptance.of(status)) {
            case TAKEN -> taken(execution, response);
            case REFUSED -> {
              log.refused();
              becomeEmpty();
            }
            case AGAIN -> {
              long longer = Math.min(2 * retryAfter, MAX_ERROR_BACKOFF_MILLIS);
              schedule(() -> report(execution, longer), retryAfter);
            }
          }
        });
  }

  private void taken(Execution execution, byte[] response) {
    log.acknowledged(execution.number, execution.run.result());
    SetTaskStatusResponse answer;
    try {
      answer = SetTaskStatusResponse.parseFrom(response);
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("The broker answered garbage for " + execution.id, e);
    }
    if (answer.hasTask()) {
      run(answer.getTask());
    } else {
      becomeEmpty();
    }
  }

  private void becomeEmpty() {
    synchronized (this) {
      empty++;
    }
    ask();
  }

  private void schedule(Runnable action, long millis) {
    wheel.schedule(
        new TimerWheel.Timer() {
          @Override
          void fire() {
            action.run();
          }
        },
        millis);
  }

  private static TaskActivation taskOf(byte[] response) {
    try {
      return GetTaskResponse.parseFrom(response).getTask();
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("The broker answered garbage for GetTask", e);
    }
  }
}
