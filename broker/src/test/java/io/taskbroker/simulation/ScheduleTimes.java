package io.taskbroker.simulation;

import static io.taskbroker.simulation.Violation.check;

import com.google.protobuf.Duration;
import com.google.protobuf.Timestamp;
import io.taskbroker.protocol.v1.MissedSlots;
import io.taskbroker.protocol.v1.Schedule;
import java.time.Instant;

/// Slots of a schedule with an interval as the ledger derives them, by docs/schedules.md and not by
/// the broker's code. Times are milliseconds since the epoch.
///
/// @param end no slot from then on
/// @param kept how many missed slots run late
record ScheduleTimes(
    String name, long every, long phase, long end, long jitter, MissedSlots missed, int kept) {
  static final long NONE = Long.MAX_VALUE;

  private static final long LATE = 60_000;

  static ScheduleTimes of(Schedule schedule) {
    return new ScheduleTimes(
        schedule.getName(),
        millis(schedule.getEvery()),
        millis(schedule.getPhase()),
        millis(schedule.getEnd()),
        millis(schedule.getJitter()),
        schedule.getMissed(),
        schedule.getMissedLimit() == 0 ? 100 : schedule.getMissedLimit());
  }

  static long millis(Timestamp time) {
    return time.getSeconds() * 1_000 + time.getNanos() / 1_000_000;
  }

  private static long millis(Duration time) {
    return time.getSeconds() * 1_000 + time.getNanos() / 1_000_000;
  }

  /// The first slot after a time; [#NONE] if there is none.
  long after(long time) {
    long slot = phase + (Math.floorDiv(time - phase, every) + 1) * every;
    return slot >= end ? NONE : slot;
  }

  boolean has(long time) {
    return Math.floorMod(time - phase, every) == 0 && time < end;
  }

  /// When a slot is due at the latest.
  long latestDue(long slot) {
    return slot + jitter;
  }

  /// Whether a slot may be more than a minute late.
  boolean isLate(long slot, long now) {
    return now - slot > LATE;
  }

  /// Checks which of the due slots runs.
  ///
  /// @param next the slot that was next
  /// @param chosen the one that runs, or is given up
  /// @param at when that was decided
  void checkChoice(long next, long chosen, long at) {
    if (missed == MissedSlots.MISSED_SLOTS_ALL) {
      long due = (Math.min(at - jitter, end - 1) - chosen) / every + 1; // from it on, at least
      long most = (at - chosen) / every + 1;
      check(
          due <= kept && (chosen == next || most >= kept),
          "G1",
          () -> name + " skips or fires wrong slots from " + Instant.ofEpochMilli(chosen));
      return;
    }
    long following = after(chosen);
    check(
        following == NONE || following + jitter > at,
        "G1",
        () -> name + " fires an earlier slot than the latest: " + Instant.ofEpochMilli(chosen));
    check(
        missed != MissedSlots.MISSED_SLOTS_SKIP || at - chosen - jitter <= LATE,
        "G5",
        () -> name + " fires a missed slot: " + Instant.ofEpochMilli(chosen));
  }
}
