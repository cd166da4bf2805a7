package io.taskbroker.runtime;

import java.time.InstantSource;
import java.util.random.RandomGenerator;

/// Time and randomness of a stage, replaceable by a simulation.
///
/// @param ticker monotonic time, and waiting for it
/// @param clock time of day
/// @param random source of jitter; has the same thread confinement as its user
public record SystemContext(Ticker ticker, InstantSource clock, RandomGenerator random) {
  /// System time, with a random source for one thread.
  public static SystemContext system() {
    return new SystemContext(Ticker.SYSTEM, InstantSource.system(), RandomGenerator.getDefault());
  }
}
