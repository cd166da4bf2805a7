package io.taskbroker.schedule;

/// Slots at a fixed interval, counted from the epoch: they do not depend on when the schedule was
/// created.
///
/// @param every milliseconds, positive
/// @param phase milliseconds from the epoch to a slot, less than `every`
record IntervalTimes(long every, long phase) implements SlotTimes {
  @Override
  public long next(long time) {
    return phase + (Math.floorDiv(time - phase, every) + 1) * every;
  }

  @Override
  public long shortest() {
    return every;
  }
}
