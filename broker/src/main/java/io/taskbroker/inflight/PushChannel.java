package io.taskbroker.inflight;

import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// Channel of an application's workers that the broker calls: a window of concurrent calls, and a
/// pause after failures. Not thread-safe.
final class PushChannel implements DeliveryChannel {
  private static final long PAUSE_MIN_MS = 20;
  private static final long PAUSE_MAX_MS = 1_000;

  /// The longest pause where each call costs an at-most-once task its only run.
  private static final long PAUSE_ONCE_MS = 30_000;

  /// Consecutive pauses for load after which operators are told.
  private static final int LASTING = 6;

  /// Consecutive rejected tasks after which the worker is to blame, and not each of them.
  private static final int REJECTIONS = 4;

  final CallWindow window;

  /// Calls in flight, including reservations of tasks whose status is being written.
  private int calls;

  /// The task that a worker is called with alone, as workers were lost with it before; while there
  /// is one, no other call is made.
  private @Nullable InFlightTask suspect;

  /// Monotonic milliseconds.
  private long pausedUntil = Long.MIN_VALUE;

  private int consecutiveFailures;
  private int rejections;

  /// Whether the pause is for a worker without room, so that a report ends it.
  private boolean waitsForRoom;

  PushChannel(CallWindow window) {
    this.window = window;
  }

  @Override
  public int credits(long now) {
    return now >= pausedUntil && suspect == null && window.admits(calls) ? 1 : 0;
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
  public void release(Effects effects) {
    calls--;
  }

  @Override
  public void deliver(Effects effects, Delivery delivery) {
    effects.push(delivery);
  }

  @Override
  public boolean confirms() {
    return true;
  }

  @Override
  public boolean isClosed() {
    return false;
  }

  /// A call ended. Returns whether the task was called for alone.
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

  /// The task that is called for alone; null if there is none.
  @Nullable InFlightTask suspect() {
    return suspect;
  }

  /// When calls go on; [Long#MAX_VALUE] if there is no pause.
  long pauseEnds(long now) {
    return pausedUntil > now ? pausedUntil : Long.MAX_VALUE;
  }

  void succeeded() {
    consecutiveFailures = 0;
    rejections = 0;
  }

  /// A worker refused for load. Where other calls are in flight their end says when to go on; else
  /// it waits, or until a report says that a worker has room.
  void pauseForLoad(long sentAt, long now, RandomGenerator random) {
    if (calls == 0) {
      pause(sentAt, now, random);
      waitsForRoom = true;
    }
  }

  /// A worker reported a task that it had.
  void workerFreed(long now) {
    if (waitsForRoom) {
      waitsForRoom = false;
      pausedUntil = now;
    }
  }

  /// Whether load has held it up for long.
  boolean isHeldUpForLong() {
    return consecutiveFailures >= LASTING;
  }

  /// A worker rejected a task. Returns whether it rejects whatever it is handed; then calls begin
  /// again with a probe, after a pause.
  ///
  /// @param once whether that was an at-most-once task
  boolean rejects(long sentAt, boolean once, long now, RandomGenerator random) {
    if (++rejections < REJECTIONS) {
      return false;
    }
    window.failed(now);
    pause(sentAt, once ? PAUSE_ONCE_MS : PAUSE_MAX_MS, now, random);
    return true;
  }

  /// Waits before the next call, the longer the more calls failed in a row. Calls that were sent
  /// before the pause began do not prolong it.
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
