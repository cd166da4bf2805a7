package io.taskbroker.engine;

/// Takes rounds of the engine in the thread of one who told it something, while the engine's own
/// thread sleeps. Called by whoever is at the [EngineOwnership]; never throws.
interface CallerRounds {
  /// Takes a round, if it may.
  ///
  /// @return whether the engine's thread may sleep on: otherwise it is to be woken
  boolean round();

  /// Whether waiting requests are a reason not to sleep.
  boolean hasRoom();
}
