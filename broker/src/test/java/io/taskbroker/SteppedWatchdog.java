package io.taskbroker;

import io.taskbroker.runtime.Progress;
import java.time.Duration;
import java.util.List;

/// The real watchdog without its thread, turned by a simulation.
public final class SteppedWatchdog {
  private final Watchdog watchdog;
  private boolean ready;

  /// @param patience how long a stage may have work and do none
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

  /// Looks at the stages; whether the broker is ready.
  ///
  /// @param now monotonic nanoseconds
  public boolean look(long now) {
    watchdog.check(now);
    return ready;
  }
}
