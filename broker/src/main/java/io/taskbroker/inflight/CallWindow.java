package io.taskbroker.inflight;

/// How many push calls to one application may be in flight. It doubles with each round trip until a
/// call is refused, fails or takes long, then gives way and grows slowly: a worker pool that
/// answers at once gets many calls, one that makes the broker wait gets few. Not thread-safe.
final class CallWindow {
  private static final long SLOW_MS = 150;
  private static final double GIVE_WAY = 0.7;

  private final int max;
  private double limit = 4;
  private double threshold;
  private long gaveWayAt = Long.MIN_VALUE;

  CallWindow(int max) {
    this.max = max;
    this.threshold = max;
  }

  boolean admits(int calls) {
    return calls < (int) limit;
  }

  /// A call was answered well.
  ///
  /// @param calls how many were in flight, this one included
  void accepted(long sentAt, long now, int calls) {
    if (now - sentAt > SLOW_MS) {
      giveWay(sentAt, now, GIVE_WAY);
    } else if (calls >= limit / 2) {
      limit = Math.min(max, limit + (limit < threshold ? 1 : 1 / limit));
    }
  }

  /// The worker was busy.
  void busy(long sentAt, long now) {
    giveWay(sentAt, now, 0.5);
  }

  /// The worker could not be reached: begin with a probe.
  void failed() {
    threshold = Math.max(1, limit / 2);
    limit = 1;
  }

  /// Calls that were sent before it last gave way say nothing new.
  private void giveWay(long sentAt, long now, double factor) {
    if (sentAt >= gaveWayAt) {
      gaveWayAt = now;
      limit = Math.max(1, limit * factor);
      threshold = limit;
    }
  }
}
