package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.FailurePolicy;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Status;
import java.util.SplittableRandom;

/// The engine's timers with a number of entries in them. Here because they are nobody's business
/// but that of their package.
public final class TimersWorkload {
  private static final long SPAN = 10_000;

  private final Timers timers = new Timers();
  private final SplittableRandom random = new SplittableRandom(42);
  private final Entry entry;
  private long now;

  /// @param size how many entries wait beside the one that comes and goes
  public TimersWorkload(int size) {
    var lane = new Lane("bench", false, new CallWindow(1), new Heads(), 0);
    for (int key = 1; key <= size; key++) {
      timers.set(entry(key, lane), random.nextLong(SPAN));
    }
    entry = entry(0, lane);
  }

  private static Entry entry(long key, Lane lane) {
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
    return new Entry(key, activation, Status.PENDING, lane);
  }

  /// As most tasks do: a lease is set, becomes a deadline, and is cancelled by a report.
  public void leaseDeadlineReport() {
    now++;
    timers.set(entry, now + SPAN / 2);
    timers.set(entry, now + SPAN);
    timers.cancel(entry);
  }
}
