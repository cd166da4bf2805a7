package io.taskbroker.inflight;

/// Adaptive limit on the concurrent push calls to one target, found by measuring whether more calls
/// add throughput. Not thread-safe.
///
/// It compares the mean latency at one limit with that at the previous limit. Where latency grows
/// less than the limit, more calls were answered in the same time, and the limit grows by a
/// quarter; where it grows nearly as much, calls were queueing at the worker, and the limit shrinks
/// by as much. So it follows the usual latency, whatever that is, and keeps calls from queueing at
/// the worker. At first, and after a failure, it doubles with each round trip until latency shows
/// that this does not help. A refusal for load sets it to the number of calls that the worker
/// holds.
final class CallWindow {
  private static final double FIRST = 4;

  /// Minimum of the threshold that it doubles up to after a failure.
  private static final double RESTART = 16;

  /// Factor of a step, up or down.
  private static final double STEP = 1.25;

  /// Growth of latency between two measurements that no step explains.
  private static final double JUMP = 3;

  /// Maximum growth of latency for which a growth of the limit pays, as a part of the latter: for a
  /// doubling, which would overshoot by far, and for a step.
  private static final double DOUBLING_TOLERANCE = 0.25;

  private static final double STEP_TOLERANCE = 0.7;

  /// Milliseconds that calls may wait at the worker, or in this process, without effect.
  private static final double UNNOTICED_MS = 10;

  /// Answers of a measurement: as many as the limit, and no fewer than this.
  private static final int SAMPLES = 16;

  private final int max;
  private double limit;

  /// It doubles up to this limit; 0 if it does not double.
  private double threshold;

  private long decreasedAt = Long.MIN_VALUE;

  /// Pending answers of the calls that filled the window; other answers do not test the limit.
  private int fullWindowAnswers;

  /// The current measurement: of calls sent since then, at that limit.
  private long measuredSince = Long.MIN_VALUE;

  private double measuredLimit = FIRST;
  private int answers;
  private double millis;

  /// The previous measurement; a limit of 0 means none.
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
      fullWindowAnswers = (int) limit;
    }
    return !full;
  }

  /// Most calls in flight at this moment.
  int size() {
    return (int) limit;
  }

  /// Whether this number of calls reaches the limit.
  boolean isFull(int calls) {
    return calls >= (int) limit;
  }

  /// Handles an accepted call.
  void accepted(long sentAt, long now) {
    if (fullWindowAnswers == 0) {
      return;
    }
    fullWindowAnswers--;
    boolean doubling = limit < threshold;
    if (doubling && limit < 2 * Math.max(measuredLimit, FIRST)) {
      limit = Math.min(limit + 1, threshold);
      if (limit >= threshold) {
        threshold = 0;
        startMeasurement(now);
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
      // If latency grew although the limit shrank, the worker got slower.
      queues =
          latency > lastLatency * JUMP || isFutile(lastLimit / at, lastLatency / latency, doubling);
    }
    if (!doubling) {
      // At the maximum it must move, too: otherwise it would not detect queueing calls.
      boolean down = queues || at >= max;
      limit = down ? Math.min(at / STEP, at - 1) : Math.max(at * STEP, at + 1);
    } else if (queues) {
      limit = lastLimit;
      threshold = 0;
    }
    limit = Math.clamp(limit, 1, max);
    lastLimit = at;
    lastLatency = latency;
    startMeasurement(now);
  }

  /// Whether this growth of latency outweighs the growth of the limit.
  private static boolean isFutile(double limitGrowth, double latencyGrowth, boolean doubling) {
    double tolerance = doubling ? DOUBLING_TOLERANCE : STEP_TOLERANCE;
    return latencyGrowth - 1 > tolerance * (limitGrowth - 1);
  }

  /// Handles a refusal for load.
  ///
  /// @param others number of other calls in flight
  void busy(long sentAt, long now, int others) {
    // Calls sent before the last decrease carry no new information.
    if (sentAt >= decreasedAt) {
      decreasedAt = now;
      limit = Math.max(1, Math.max(limit * 0.5, Math.min(limit * 0.8, others)));
      threshold = 0;
      lastLimit = 0;
      startMeasurement(now);
    }
  }

  /// Handles an unreachable worker: restarts with one probe.
  void failed(long now) {
    threshold = Math.max(threshold, Math.min(max, Math.max(RESTART, limit / 2)));
    limit = 1;
    lastLimit = 0;
    startMeasurement(now);
  }

  private void startMeasurement(long now) {
    measuredSince = now;
    measuredLimit = limit;
    answers = 0;
    millis = 0;
  }
}
