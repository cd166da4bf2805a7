package io.taskbroker.schedule;

/// Times of the slots of a schedule. Immutable.
sealed interface SlotTimes permits IntervalTimes, CronTimes {
  /// No further slot.
  long NONE = Long.MAX_VALUE;

  /// The first slot after a time, milliseconds since the epoch; [#NONE] if there is none.
  ///
  /// @param time milliseconds since the epoch, not negative
  long next(long time);

  /// The shortest time between two slots, milliseconds, positive.
  long shortest();
}
