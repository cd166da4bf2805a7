package io.taskbroker.runtime;

import java.time.InstantSource;
import java.util.random.RandomGenerator;

/// What a stage takes from the world around it, so that a simulation can give it another one.
///
/// @param ticker measures elapsed time, and waits
/// @param clock tells the time of day
/// @param random decides what is left to chance: the jitter of waits; confined like its user
public record SystemContext(Ticker ticker, InstantSource clock, RandomGenerator random) {
  /// The world as it is, with a source of randomness for one thread.
  public static SystemContext system() {
    return new SystemContext(Ticker.SYSTEM, InstantSource.system(), RandomGenerator.getDefault());
  }
}
