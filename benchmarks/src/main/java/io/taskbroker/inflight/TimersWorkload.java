package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.FailurePolicy;
import io.taskbroker.activation.Origin;
import java.util.SplittableRandom;

/// Workload on the engine's timers with a given number of timers set. In this package because the
/// timers are package-private.
public final class TimersWorkload {
  private static final long SPAN = 10_000;

  private final Timers timers = new Timers();
  private final SplittableRandom random = new SplittableRandom(42);
  private final InFlightTask task;
  private long now;

  /// @param size number of timers set besides the measured one
  public TimersWorkload(int size) {
    var queue = new ApplicationQueue("app", null, new OldestFirstPicker(new OldestFirstIndex()), 0);
    for (int key = 1; key <= size; key++) {
      timers.set(task(key, queue), random.nextLong(SPAN));
    }
    task = task(0, queue);
  }

  private static InFlightTask task(long key, ApplicationQueue queue) {
    var activation =
        new Activation(
            "id-" + key,
            "bench",
            "bench",
            "bench.sleep",
            new byte[0],
            new Origin("bench", 0, key),
            0,
            Activation.NEVER,
            0,
            10,
            FailurePolicy.DISCARD,
            false,
            false);
    return new InFlightTask(key, activation, TaskState.PENDING, queue);
  }

  /// The timers of most tasks: a lease is set, replaced by a deadline, and cancelled by a report.
  public void leaseDeadlineReport() {
    now++;
    timers.set(task, now + SPAN / 2);
    timers.set(task, now + SPAN);
    timers.cancel(task);
  }
}
