package io.taskbroker;

import io.taskbroker.runtime.Progress;
import java.time.Duration;
import java.util.List;

/// The real watchdog without its thread, driven by a simulation.
public final class SteppedWatchdog {
  private final Watchdog watchdog;
  private boolean ready;

  /// @param patience maximum time that a stage may have work without progress
  public SteppedWatchdog(List<? extends Progress> stages, Duration patience) {
    watchdog =
        new Watchdog(
            stages,
            patience,
            false,
            now -> ready = now,
            (stage, cause) -> {
              throw new IllegalStateException(stage, cause);
            });
  }

  /// Checks the stages; returns whether the broker is ready.
  ///
  /// @param now monotonic nanoseconds
  public boolean look(long now) {
    watchdog.look(now);
    return ready;
  }
}
