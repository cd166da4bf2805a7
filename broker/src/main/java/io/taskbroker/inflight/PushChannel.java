package io.taskbroker.inflight;

import io.taskbroker.inflight.api.Delivery;
import io.taskbroker.inflight.api.PushPort;
import io.taskbroker.inflight.api.WaitingReason;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// Channel of an application's workers that the broker calls: a window of concurrent calls, and a
/// pause after failures. Not thread-safe.
final class PushChannel implements DeliveryChannel {
  private static final long PAUSE_MIN_MS = 20;
  private static final long PAUSE_MAX_MS = 1_000;

  /// The longest pause where each call costs an at-most-once task its only run.
  private static final long PAUSE_AT_MOST_ONCE_MS = 30_000;

  /// Consecutive pauses for load after which operators are notified.
  private static final int PAUSES_UNTIL_NOTICE = 6;

  /// Consecutive rejected tasks after which the worker is at fault, not the tasks.
  private static final int REJECTIONS_UNTIL_PAUSE = 4;

  final CallWindow window;
  private final PushPort port;

  /// Calls in flight, including reservations of tasks whose status is being written.
  private int calls;

  /// The task that a worker is called with alone, because workers were lost with it before;
  /// meanwhile no other call is made.
  private @Nullable InFlightTask suspect;

  /// Monotonic milliseconds.
  private long pausedUntil = Long.MIN_VALUE;

  private int consecutiveFailures;
  private int rejections;

  /// Whether the pause is for a worker without room, so that a report ends it.
  private boolean waitsForRoom;

  PushChannel(CallWindow window, PushPort port) {
    this.window = window;
    this.port = port;
  }

  @Override
  public int credits(long now) {
    WaitingReason.Kind reason = closedBy(now);
    boolean open = reason == null || reason == WaitingReason.Kind.CALL_WINDOW_FULL;
    return open && window.admits(calls) ? 1 : 0;
  }

  @Override
  public WaitingReason.@Nullable Kind closedBy(long now) {
    if (now < pausedUntil) {
      return WaitingReason.Kind.WORKER_PAUSED;
    }
    if (suspect != null) {
      return WaitingReason.Kind.SUSPECT_RUNS_ALONE;
    }
    return window.isFull(calls) ? WaitingReason.Kind.CALL_WINDOW_FULL : null;
  }

  @Override
  public boolean accepts(InFlightTask task) {
    return !task.isSuspect() || calls == 0;
  }

  @Override
  public void reserve(InFlightTask task) {
    if (task.isSuspect()) {
      suspect = task;
    }
    calls++;
  }

  @Override
  public void release() {
    calls--;
  }

  @Override
  public void deliver(Delivery delivery) {
    port.push(delivery);
  }

  @Override
  public boolean confirms() {
    return true;
  }

  @Override
  public boolean isClosed() {
    return false;
  }

  /// Handles the end of a call. Returns whether the task was called alone.
  boolean ended(InFlightTask task) {
    calls--;
    boolean alone = task.equals(suspect);
    if (alone) {
      suspect = null;
    }
    return alone;
  }

  int calls() {
    return calls;
  }

  /// The task that is called alone; null if there is none.
  @Nullable InFlightTask suspect() {
    return suspect;
  }

  /// When calls resume; [Long#MAX_VALUE] if there is no pause.
  long pauseEnds(long now) {
    return pausedUntil > now ? pausedUntil : Long.MAX_VALUE;
  }

  void succeeded() {
    consecutiveFailures = 0;
    rejections = 0;
  }

  /// Handles a refusal for load. If other calls are in flight, their end resumes the calls;
  /// otherwise the channel pauses, until a report says that a worker has room at the latest.
  void pauseForLoad(long sentAt, long now, RandomGenerator random) {
    if (calls == 0) {
      pause(sentAt, now, random);
      waitsForRoom = true;
    }
  }

  /// Handles a report on a task that a worker had.
  void workerFreed(long now) {
    if (waitsForRoom) {
      waitsForRoom = false;
      pausedUntil = now;
    }
  }

  /// Whether load has paused the channel several times in a row.
  boolean isPausedForLong() {
    return consecutiveFailures >= PAUSES_UNTIL_NOTICE;
  }

  /// Handles a rejected task. Returns whether the worker rejects every task; then calls restart
  /// with a probe after a pause.
  ///
  /// @param atMostOnce whether that was an at-most-once task
  boolean rejects(long sentAt, boolean atMostOnce, long now, RandomGenerator random) {
    if (++rejections < REJECTIONS_UNTIL_PAUSE) {
      return false;
    }
    window.failed(now);
    pause(sentAt, atMostOnce ? PAUSE_AT_MOST_ONCE_MS : PAUSE_MAX_MS, now, random);
    return true;
  }

  /// Pauses before the next call, longer with each consecutive failure. Calls sent before the pause
  /// began do not extend it.
  void pause(long sentAt, long now, RandomGenerator random) {
    pause(sentAt, PAUSE_MAX_MS, now, random);
  }

  private void pause(long sentAt, long max, long now, RandomGenerator random) {
    if (sentAt < pausedUntil) {
      return;
    }
    long longest = Math.min(max, PAUSE_MIN_MS << Math.min(consecutiveFailures, 11));
    consecutiveFailures++;
    waitsForRoom = false;
    pausedUntil = now + longest / 2 + random.nextLong(longest / 2 + 1);
  }
}
