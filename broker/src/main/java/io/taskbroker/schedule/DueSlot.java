package io.taskbroker.schedule;

import io.taskbroker.protocol.v1.MissedSlots;
import io.taskbroker.protocol.v1.Schedule;

/// Decision about a schedule that is due: which slot to fire, and which one is next. Slots in
/// between were missed and are skipped, as the schedule says.
///
/// @param fire the slot to fire; [SlotCalendar#NONE] if all due ones are skipped
/// @param next the slot after the last that was decided; [SlotCalendar#NONE] if there is none
/// @param skipsFirst whether the slot that was next before is skipped
record DueSlot(long fire, long next, boolean skipsFirst) {
  /// How late a slot may be before it counts as missed, milliseconds.
  static final long GRACE = 60_000;

  private static final int DEFAULT_LIMIT = 100;

  /// @param slot the next slot of the schedule, which is due
  /// @param now milliseconds since the epoch
  static DueSlot of(Schedule schedule, SlotCalendar calendar, long slot, long now) {
    int kept = schedule.getMissed() == MissedSlots.MISSED_SLOTS_ALL ? limit(schedule) : 1;
    long chosen = calendar.firstOfLatest(slot, now, kept);
    boolean tooLate =
        schedule.getMissed() == MissedSlots.MISSED_SLOTS_SKIP
            && now - calendar.dueAt(chosen) > GRACE;
    return new DueSlot(
        tooLate ? SlotCalendar.NONE : chosen, calendar.next(chosen), tooLate || chosen != slot);
  }

  private static int limit(Schedule schedule) {
    return schedule.getMissedLimit() == 0 ? DEFAULT_LIMIT : schedule.getMissedLimit();
  }
}
