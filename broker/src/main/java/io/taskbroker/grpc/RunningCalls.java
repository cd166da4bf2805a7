package io.taskbroker.grpc;

import io.grpc.Status;
import io.taskbroker.grpc.ConnectionCounts.Closing;
import io.taskbroker.runtime.Deadlines;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/// Pending calls and deadlines of one event loop. Used by the event loop, except for [#run].
final class RunningCalls {
  /// How long a worker with tasks may be silent before it counts as dead.
  static final Duration LEASE = Duration.ofSeconds(3);

  private final ScheduledExecutorService loop;
  private final Set<RunningCall> calls = new HashSet<>();

  /// Calls with incomplete requests, each holding the bytes received so far.
  private final Deadlines<IncompleteCall> incomplete;

  /// Connections with an incomplete frame, and those with unread responses.
  private final Deadlines<Connection> frames;

  private final Deadlines<Connection> unread;
  private final Deadlines<WorkerCall> leases;

  /// Pending call.
  interface RunningCall {
    void fail(Status reason);

    /// Tells a client with a long call that the server is about to stop.
    default void drain() {}
  }

  /// Call with an incomplete request.
  interface IncompleteCall {
    /// Fails the call.
    void cutOff(Status reason);
  }

  /// @param patience timeout of completing a request or a frame, and of reading a response
  RunningCalls(ScheduledExecutorService loop, Duration patience) {
    this(loop, patience, System::nanoTime);
  }

  /// @param loop single-threaded
  /// @param nanoTime clock of the loop, nanoseconds
  RunningCalls(ScheduledExecutorService loop, Duration patience, LongSupplier nanoTime) {
    this.loop = loop;
    Status timedOut =
        Status.DEADLINE_EXCEEDED.withDescription(
            "The request did not come in full within " + patience.toMillis() + " ms");
    this.incomplete = new Deadlines<>(loop, patience, call -> call.cutOff(timedOut), nanoTime);
    this.frames = new Deadlines<>(loop, patience, each -> each.closeNow(Closing.SLOW), nanoTime);
    this.leases = new Deadlines<>(loop, LEASE, WorkerCall::leasePassed, nanoTime);
    this.unread = new Deadlines<>(loop, patience, Connection::checkReading, nanoTime);
  }

  /// Calls with incomplete requests.
  Deadlines<IncompleteCall> incomplete() {
    return incomplete;
  }

  Deadlines<Connection> frames() {
    return frames;
  }

  Deadlines<Connection> unread() {
    return unread;
  }

  /// Workers with tasks, which must send something now and then.
  Deadlines<WorkerCall> leases() {
    return leases;
  }

  /// Tells the clients of long calls that the server is about to stop.
  void drainAll() {
    List.copyOf(calls).forEach(RunningCall::drain);
  }

  void add(RunningCall call) {
    calls.add(call);
  }

  /// Returns false if the call was not pending.
  boolean remove(RunningCall call) {
    return calls.remove(call);
  }

  void failAll(Status reason) {
    List.copyOf(calls).forEach(call -> call.fail(reason));
  }

  /// Runs a task in the loop after some seconds.
  Future<?> schedule(Runnable task, int seconds) {
    return loop.schedule(task, seconds, TimeUnit.SECONDS);
  }

  /// Runs a task in the loop, always asynchronously: the caller may be in the middle of an engine
  /// round.
  void run(Runnable task) {
    try {
      loop.execute(task);
    } catch (RejectedExecutionException _) {
      // The server has stopped and failed all calls.
    }
  }
}
