package io.taskbroker.engine;

/// Rounds of the engine in the thread of a sender, while the engine's own thread sleeps. Called
/// only by the holder of the [EngineOwnership]; never throws.
interface CallerRounds {
  /// Runs a round, if allowed.
  ///
  /// @return whether the engine's thread may sleep on; false: wake it
  boolean round();

  /// Whether waiting requests must keep the engine awake.
  boolean hasRoom();
}
