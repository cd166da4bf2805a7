package io.taskbroker.runtime;

/// Turns a [BatchFlusher] that was not started, for a simulation.
public final class FlusherTurns {
  private FlusherTurns() {}

  /// Takes a turn if one is due.
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

  /// When the next turn is due.
  public static long next(BatchFlusher<?> flusher) {
    return flusher.nextTurn();
  }
}
