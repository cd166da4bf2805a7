package io.taskbroker.deadletter;

import java.util.concurrent.TimeUnit;

/// Rate limit of a replay: spreads batches evenly, and does not catch up what was missed. One
/// thread.
final class Pace {
  private static final int BATCHES_PER_SECOND = 5;
  private static final int MAX_BATCH = 500;

  private final double perSecond;
  private long next = System.nanoTime();

  Pace(double perSecond) {
    this.perSecond = perSecond;
  }

  /// Number of dead letters of a batch.
  int batch() {
    return (int) Math.clamp(perSecond / BATCHES_PER_SECOND, 1, MAX_BATCH);
  }

  /// Waits until a batch may be sent.
  void await(int count) throws InterruptedException {
    long now = System.nanoTime();
    long due = Math.max(next, now);
    next = due + (long) (count / perSecond * 1e9);
    if (due > now) {
      TimeUnit.NANOSECONDS.sleep(due - now);
    }
  }
}
