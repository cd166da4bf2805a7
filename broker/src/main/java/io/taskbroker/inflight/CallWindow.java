package io.taskbroker.inflight;

/// Limit on the push calls in flight to one target, found by measuring whether more of them add
/// throughput. Not thread-safe.
///
/// It compares the mean latency of calls at one limit with that at the limit before: where latency
/// grows less than the limit does, more calls were answered in the same time, and the limit grows
/// by a quarter; where it grows nearly as much, the worker had calls waiting, and the limit shrinks
/// by as much. So it follows the usual latency, whatever that is, and keeps calls from queueing at
/// the worker. At first, and after a failure, it doubles with each round trip until latency says
/// that this is no use. A refusal for load sets it to what the worker holds.
final class CallWindow {
  private static final double FIRST = 4;

  /// The least of what it doubles up to after a failure.
  private static final double RESTART = 16;

  /// A step, up or down.
  private static final double STEP = 1.25;

  /// Growth of latency from one measurement to the next that no step explains.
  private static final double JUMP = 3;

  /// The part of a growth of the limit that latency may grow by while that is worth it: of a
  /// doubling, which would overshoot by far, and of a step.
  private static final double DOUBLING_TOLERANCE = 0.25;

  private static final double STEP_TOLERANCE = 0.7;

  /// Milliseconds that calls may wait at the worker, or in this process, and count as nothing.
  private static final double UNNOTICED_MS = 10;

  /// Answers of a measurement: as many as the limit, and no fewer than this.
  private static final int SAMPLES = 16;

  private final int max;
  private double limit;

  /// Up to this it doubles; 0 if it does not.
  private double threshold;

  private long gaveWayAt = Long.MIN_VALUE;

  /// Answers that are still to come of the calls that filled it; others say nothing of the limit.
  private int telling;

  /// The measurement under way: of calls that were sent since then, at that limit.
  private long measuredSince = Long.MIN_VALUE;

  private double measuredLimit = FIRST;
  private int answers;
  private double millis;

  /// The measurement before; a limit of 0 stands for none.
  private double lastLimit;

  private double lastLatency;

  CallWindow(int max) {
    this.max = max;
    this.limit = Math.min(FIRST, max);
    this.threshold = max;
  }

  boolean admits(int calls) {
    boolean full = isFull(calls);
    if (full) {
      telling = (int) limit;
    }
    return !full;
  }

  /// Whether so many calls are as many as the limit allows.
  boolean isFull(int calls) {
    return calls >= (int) limit;
  }

  /// A call was answered well.
  void accepted(long sentAt, long now) {
    if (telling == 0) {
      return;
    }
    telling--;
    boolean doubling = limit < threshold;
    if (doubling && limit < 2 * Math.max(measuredLimit, FIRST)) {
      limit = Math.min(limit + 1, threshold);
      if (limit >= threshold) {
        threshold = 0;
        measure(now);
        return;
      }
    }
    if (sentAt < measuredSince) {
      return;
    }
    answers++;
    millis += now - sentAt;
    if (answers >= Math.max((int) measuredLimit, SAMPLES)) {
      measured(now, millis / answers + UNNOTICED_MS, doubling);
    }
  }

  private void measured(long now, double latency, boolean doubling) {
    double at = measuredLimit;
    boolean queues;
    if (lastLimit == 0 || at == lastLimit) {
      queues = false;
    } else if (at > lastLimit) {
      queues = isFutile(at / lastLimit, latency / lastLatency, doubling);
    } else {
      // Latency that grew although the limit shrank says that the worker got slower.
      queues =
          latency > lastLatency * JUMP || isFutile(lastLimit / at, lastLatency / latency, doubling);
    }
    if (!doubling) {
      // At the bound, too, it has to move, or it would not notice that calls queue.
      boolean down = queues || at >= max;
      limit = down ? Math.min(at / STEP, at - 1) : Math.max(at * STEP, at + 1);
    } else if (queues) {
      limit = lastLimit;
      threshold = 0;
    }
    limit = Math.clamp(limit, 1, max);
    lastLimit = at;
    lastLatency = latency;
    measure(now);
  }

  /// Whether such a growth of the limit, with that of latency, is not worth it.
  private static boolean isFutile(double limitGrowth, double latencyGrowth, boolean doubling) {
    double tolerance = doubling ? DOUBLING_TOLERANCE : STEP_TOLERANCE;
    return latencyGrowth - 1 > tolerance * (limitGrowth - 1);
  }

  /// The worker refused a call for load.
  ///
  /// @param others how many more calls were in flight
  void busy(long sentAt, long now, int others) {
    // Calls that were sent before it last gave way say nothing new.
    if (sentAt >= gaveWayAt) {
      gaveWayAt = now;
      limit = Math.max(1, Math.max(limit * 0.5, Math.min(limit * 0.8, others)));
      threshold = 0;
      lastLimit = 0;
      measure(now);
    }
  }

  /// The worker could not be reached: begin with a probe.
  void failed(long now) {
    threshold = Math.max(threshold, Math.min(max, Math.max(RESTART, limit / 2)));
    limit = 1;
    lastLimit = 0;
    measure(now);
  }

  private void measure(long now) {
    measuredSince = now;
    measuredLimit = limit;
    answers = 0;
    millis = 0;
  }
}
