package io.taskbroker.runtime;

import java.time.InstantSource;
import java.util.random.RandomGenerator;

/// What a stage takes from the world around it, so that a simulation can give it another one.
///
/// @param ticker measures elapsed time, and waits
/// @param clock tells the time of day
/// @param random decides what is left to chance: the jitter of waits
public record Surroundings(Ticker ticker, InstantSource clock, RandomGenerator random) {
  public static final Surroundings SYSTEM =
      new Surroundings(Ticker.SYSTEM, InstantSource.system(), RandomGenerator.getDefault());
}
