package io.taskbroker.deliver;

import static java.util.concurrent.TimeUnit.NANOSECONDS;

import io.netty.channel.EventLoop;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// The calls that are under way, oldest first, which is the order in which they time out because
/// all may take the same time. One timer for all of them. Used by the event loop.
final class Outstanding {
  private final EventLoop loop;
  private final long timeoutNanos;
  private final String late;
  private @Nullable PushCall oldest;
  private @Nullable PushCall newest;
  private boolean timed;

  Outstanding(EventLoop loop, Duration timeout) {
    this.loop = loop;
    this.timeoutNanos = NANOSECONDS.convert(timeout);
    this.late = "No answer within " + timeout.toMillis() + " ms";
  }

  boolean isEmpty() {
    return oldest == null;
  }

  void add(PushCall call) {
    call.expiresAt = System.nanoTime() + timeoutNanos;
    PushCall last = newest;
    call.older = last;
    if (last == null) {
      oldest = call;
    } else {
      last.newer = call;
    }
    newest = call;
    time(timeoutNanos);
  }

  void remove(PushCall call) {
    PushCall older = call.older;
    PushCall newer = call.newer;
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

  /// Gives up all calls.
  void abandonAll(String why) {
    for (PushCall call = oldest; call != null; call = oldest) {
      call.abandon(why);
    }
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
    for (PushCall call = oldest; call != null; call = oldest) {
      if (call.expiresAt - now > 0) {
        time(call.expiresAt - now);
        return;
      }
      call.abandon(late);
    }
  }
}
