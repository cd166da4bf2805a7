package io.taskbroker.simulation;

import java.util.function.LongSupplier;

/// Simulated thread of a broker: takes a turn when it is woken or its time has come, never two
/// concurrently.
final class Actor {
  private final SimulatedProcess process;
  private final SimulatedWorld world;
  private final String name;
  private final LongSupplier turn;
  private long plannedAt = Long.MAX_VALUE;
  private long plan;
  private boolean running;
  private boolean over;
  private long wokenFor = Long.MAX_VALUE;

  /// @param turn takes a turn; returns the delay until the next one, in nanoseconds
  Actor(SimulatedProcess process, SimulatedWorld world, String name, LongSupplier turn) {
    this.process = process;
    this.world = world;
    this.name = name;
    this.turn = turn;
  }

  /// Stops the thread: it takes no more turns.
  void end() {
    over = true;
    plan++;
  }

  /// Schedules a turn no later than that, unless its process is frozen.
  void wake(long nanos) {
    long at = world.now() + Math.max(0, nanos);
    if (at < world.now() || over) {
      return; // never due, or already scheduled earlier
    }
    if (running) {
      wokenFor = Math.min(wokenFor, at);
    } else if (at < plannedAt) {
      plannedAt = at;
      long number = ++plan;
      process.later(
          at - world.now(),
          name,
          () -> {
            if (number == plan) {
              turn();
            }
          });
    }
  }

  private void turn() {
    running = true;
    plannedAt = Long.MAX_VALUE;
    wokenFor = Long.MAX_VALUE;
    long next;
    try {
      next = turn.getAsLong();
    } finally {
      running = false;
    }
    wake(next);
    if (wokenFor < Long.MAX_VALUE) {
      wake(wokenFor - world.now());
    }
  }
}
