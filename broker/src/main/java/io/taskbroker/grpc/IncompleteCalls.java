package io.taskbroker.grpc;

import static java.util.concurrent.TimeUnit.NANOSECONDS;

import io.grpc.Status;
import io.netty.channel.EventLoop;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// The calls whose request has not come in full, the oldest first: each holds what came of it, and
/// is failed after a while (G7). One timer for all of them. Used by the event loop.
final class IncompleteCalls {
  private final EventLoop loop;
  private final long patienceNanos;
  private final Status late;
  private @Nullable UnaryCall oldest;
  private @Nullable UnaryCall newest;
  private boolean timed;

  IncompleteCalls(EventLoop loop, Duration patience) {
    this.loop = loop;
    this.patienceNanos = NANOSECONDS.convert(patience);
    this.late =
        Status.DEADLINE_EXCEEDED.withDescription(
            "The request did not come in full within " + patience.toMillis() + " ms");
  }

  void add(UnaryCall call) {
    call.incomplete = true;
    call.dueAt = System.nanoTime() + patienceNanos;
    UnaryCall last = newest;
    call.older = last;
    if (last == null) {
      oldest = call;
    } else {
      last.newer = call;
    }
    newest = call;
    time(patienceNanos);
  }

  /// Does nothing if it is none of them.
  void remove(UnaryCall call) {
    if (!call.incomplete) {
      return;
    }
    call.incomplete = false;
    UnaryCall older = call.older;
    UnaryCall newer = call.newer;
    if (older == null) {
      oldest = newer;
    } else {
      older.newer = newer;
    }
    if (newer == null) {
      newest = older;
    } else {
      newer.older = older;
    }
    call.older = null;
    call.newer = null;
  }

  private void time(long nanos) {
    if (!timed) {
      timed = true;
      var _ = loop.schedule(this::expire, nanos, NANOSECONDS);
    }
  }

  private void expire() {
    timed = false;
    long now = System.nanoTime();
    for (UnaryCall call = oldest; call != null; call = oldest) {
      if (call.dueAt - now > 0) {
        time(call.dueAt - now);
        return;
      }
      remove(call);
      call.cutOff(late);
    }
  }
}
