package io.taskbroker.grpc;

import io.grpc.Status;
import io.netty.channel.EventLoop;
import io.taskbroker.grpc.ConnectionCounts.Closing;
import io.taskbroker.runtime.Deadlines;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.RejectedExecutionException;

/// Calls of one event loop that the engine has not answered yet, and what the loop waits for. Used
/// by the event loop, but for [#run].
final class RunningCalls {
  private final EventLoop loop;
  private final Set<UnaryCall> calls = new HashSet<>();

  /// Those whose request has not come in full: each holds what came of it.
  private final Deadlines<IncompleteCall> incomplete;

  /// Connections that began a frame, and those that have answers to read.
  private final Deadlines<Connection> frames;

  private final Deadlines<Connection> unread;

  /// A call whose request has not come in full.
  interface IncompleteCall {
    /// Fails it.
    void cutOff(Status reason);
  }

  /// @param patience how long a request or a frame may take to come in full, and an answer to be
  ///   read
  RunningCalls(EventLoop loop, Duration patience) {
    this.loop = loop;
    Status late =
        Status.DEADLINE_EXCEEDED.withDescription(
            "The request did not come in full within " + patience.toMillis() + " ms");
    this.incomplete = new Deadlines<>(loop, patience, call -> call.cutOff(late));
    this.frames = new Deadlines<>(loop, patience, each -> each.closeNow(Closing.SLOW));
    this.unread = new Deadlines<>(loop, patience, Connection::checkReading);
  }

  /// The calls before that.
  Deadlines<IncompleteCall> incomplete() {
    return incomplete;
  }

  Deadlines<Connection> frames() {
    return frames;
  }

  Deadlines<Connection> unread() {
    return unread;
  }

  void add(UnaryCall call) {
    calls.add(call);
  }

  /// Returns false if it was none of them.
  boolean remove(UnaryCall call) {
    return calls.remove(call);
  }

  void failAll(Status reason) {
    List.copyOf(calls).forEach(call -> call.fail(reason));
  }

  /// Runs it in the loop, later also if that is where the caller is: it may be in the middle of a
  /// round of the engine.
  void run(Runnable task) {
    try {
      loop.execute(task);
    } catch (RejectedExecutionException _) {
      // The server was stopped, which failed all calls.
    }
  }
}
