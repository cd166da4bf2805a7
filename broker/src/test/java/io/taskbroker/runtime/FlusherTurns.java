package io.taskbroker.runtime;

/// Drives a [BatchFlusher] that was not started, for a simulation.
public final class FlusherTurns {
  private FlusherTurns() {}

  /// Runs a turn if one is due.
  public static void turn(BatchFlusher<?> flusher, long now) {
    if (flusher.nextTurn() - now > 0) {
      return;
    }
    try {
      flusher.turn();
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  /// Time of the next turn.
  public static long next(BatchFlusher<?> flusher) {
    return flusher.nextTurn();
  }
}
