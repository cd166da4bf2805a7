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

/// Simulated pull worker finished real gRPC (reference-spec 11.9). Each slot runs one task at a
/// time: it reports the result until the broker accepts it, and fetches the next task in the same
/// call. Free slots share a few fetchers, which back off while there is noTask to do. Thousands of
/// slots share one timer thread. Thread-safe.
public final class PullWorker implements AutoCloseable {
  private static final int MAX_FETCHERS = 16;
  private static final long MIN_BACKOFF_MILLIS = 2;
  private static final long MAX_EMPTY_BACKOFF_MILLIS = 32;
  private static final long MAX_ERROR_BACKOFF_MILLIS = 500;

  private final Behaviour behaviour;
  private final ExecutionLog log;
  private final byte[] fetchRequest;
  private final FetchNextTask next;
  private final BrokerClient broker;
  private final TimerWheel wheel;
  private final IdleWait idleness = new IdleWait(this::isIdle);
  private final int places;

  // Guarded by this.
  private int free;
  private int fetching;
  private boolean paused;
  private long backoff = MIN_BACKOFF_MILLIS;

  private PullWorker(
      WorkerOptions options, String application, Behaviour behaviour, ExecutionLog log) {
    this.behaviour = behaviour;
    this.log = log;
    fetchRequest = GetTaskRequest.newBuilder().setApplication(application).build().toByteArray();
    next = FetchNextTask.newBuilder().setApplication(application).build();
    broker = new BrokerClient(options.broker(), options.secrets());
    wheel = new TimerWheel("pull-worker", () -> {});
    places = options.concurrency();
    free = places;
  }

  /// Starts a worker for the tasks of one application. It reports results one by one.
  public static PullWorker start(
      WorkerOptions options, String application, Behaviour behaviour, ExecutionLog log) {
    var worker = new PullWorker(options, application, behaviour, log);
    worker.wheel.start();
    new CallTimeouts(worker.wheel, worker.broker).start();
    worker.fetch();
    return worker;
  }

  /// Number of tasks running or being reported.
  public synchronized int running() {
    return places - free - fetching;
  }

  /// Waits until noTask runs and every result was accepted.
  ///
  /// @return false on timeout
  public boolean awaitIdle(Duration timeout) throws InterruptedException {
    return idleness.await(timeout);
  }

  /// Stops like a killed worker: running tasks are never reported.
  @Override
  public void close() {
    wheel.close();
    broker.close();
  }

  private boolean isIdle() {
    return running() == 0;
  }

  /// Starts fetchers for free slots.
  private void fetch() {
    while (reserveSlot()) {
      broker.call(RawMethods.GET_TASK, fetchRequest, this::answered);
    }
  }

  private synchronized boolean reserveSlot() {
    if (paused || free == 0 || fetching == MAX_FETCHERS) {
      return false;
    }
    free--;
    fetching++;
    return true;
  }

  private void answered(Status status, byte[] response) {
    if (status.isOk()) {
      TaskActivation task = taskOf(response);
      synchronized (this) {
        fetching--;
        backoff = MIN_BACKOFF_MILLIS;
      }
      run(task);
      fetch();
      return;
    }
    boolean noTask = status.getCode() == Status.Code.NOT_FOUND;
    synchronized (this) {
      fetching--;
      free++;
      if (!paused) {
        paused = true;
        schedule(this::resume, backoff);
        long max = noTask ? MAX_EMPTY_BACKOFF_MILLIS : MAX_ERROR_BACKOFF_MILLIS;
        backoff = Math.min(2 * backoff, max);
      }
    }
  }

  private void resume() {
    synchronized (this) {
      paused = false;
    }
    fetch();
  }

  private void run(TaskActivation task) {
    Execution execution = Execution.start(task, behaviour, log, this::finished);
    wheel.schedule(execution, execution.run.millis());
  }

  private void finished(Execution execution) {
    log.finished(execution.number);
    if (execution.run.result() == Result.NO_REPORT) {
      releaseSlot();
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
          switch (ReportOutcome.of(status)) {
            case ACCEPTED -> accepted(execution, response);
            case REFUSED -> {
              log.refused();
              releaseSlot();
            }
            case RETRY -> {
              long longer = Math.min(2 * retryAfter, MAX_ERROR_BACKOFF_MILLIS);
              schedule(() -> report(execution, longer), retryAfter);
            }
          }
        });
  }

  private void accepted(Execution execution, byte[] response) {
    log.acknowledged(execution.number, execution.run.result());
    SetTaskStatusResponse answer;
    try {
      answer = SetTaskStatusResponse.parseFrom(response);
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("Malformed reply of the broker for " + execution.id, e);
    }
    if (answer.hasTask()) {
      run(answer.getTask());
    } else {
      releaseSlot();
    }
  }

  private void releaseSlot() {
    synchronized (this) {
      free++;
    }
    fetch();
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
      throw new IllegalStateException("Malformed reply of the broker to GetTask", e);
    }
  }
}
