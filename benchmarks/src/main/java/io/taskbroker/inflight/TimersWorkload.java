package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.FailurePolicy;
import io.taskbroker.activation.Origin;
import java.util.SplittableRandom;

/// The engine's timers with a number of entries in them. Here because they are nobody's business
/// but that of their package.
public final class TimersWorkload {
  private static final long SPAN = 10_000;

  private final Timers timers = new Timers();
  private final SplittableRandom random = new SplittableRandom(42);
  private final InFlightTask task;
  private long now;

  /// @param size how many entries wait beside the one that comes and goes
  public TimersWorkload(int size) {
    var queue = new ApplicationQueue("app", null, new OldestFirstIndex(), 0);
    for (int key = 1; key <= size; key++) {
      timers.set(entry(key, queue), random.nextLong(SPAN));
    }
    task = entry(0, queue);
  }

  private static InFlightTask entry(long key, ApplicationQueue queue) {
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

  /// As most tasks do: a lease is set, becomes a deadline, and is cancelled by a report.
  public void leaseDeadlineReport() {
    now++;
    timers.set(task, now + SPAN / 2);
    timers.set(task, now + SPAN);
    timers.cancel(task);
  }
}
