package io.taskbroker;

import io.taskbroker.runtime.Progress;
import java.time.Duration;
import java.util.List;

/// The real watchdog without its thread, driven by a simulation.
public final class SteppedWatchdog {
  private final Watchdog watchdog;
  private boolean ready;

  /// @param patience how long a stage may have work and make no progress
  public SteppedWatchdog(List<? extends Progress> stages, Duration patience) {
    watchdog =
        new Watchdog(
            stages,
            patience,
            false,
            now -> ready = now,
            (_, _, _, _) -> {},
            (stage, cause) -> {
              throw new IllegalStateException(stage, cause);
            });
  }

  /// Checks the stages; returns whether the broker is ready.
  ///
  /// @param now monotonic time in nanoseconds
  public boolean look(long now) {
    watchdog.check(now);
    return ready;
  }
}
