package io.taskbroker.schedule;

import com.google.protobuf.Duration;
import com.google.protobuf.Timestamp;
import io.taskbroker.activation.Ids;
import io.taskbroker.activation.ScheduleRow;
import io.taskbroker.protocol.v1.Schedule;
import java.util.ArrayDeque;

/// Slots of a schedule, between its start and its end, and when each is due. Immutable. Times are
/// milliseconds since the epoch.
///
/// @param start the first possible slot
/// @param end no slot from then on
/// @param jitter longest delay of a slot, exclusive; 0 for none
record SlotCalendar(String name, SlotTimes times, long start, long end, long jitter) {
  static final long NONE = SlotTimes.NONE;

  private static final long SHORTEST = 1_000;
  private static final long LONGEST = 366L * 86_400_000;

  /// The end of the year 9999.
  private static final long LAST = 253_402_300_799_999L;

  /// Slots that are looked at to compare the time between them with the jitter.
  private static final int COMPARED = 100;

  private static final long FIRST_LOOK_BACK = 60_000;

  /// Calendar of a schedule, whose other fields are not looked at.
  ///
  /// @throws IllegalArgumentException if its times are invalid; the message says why
  static SlotCalendar of(Schedule schedule) {
    SlotTimes times =
        switch (schedule.getTimesCase()) {
          case CRON -> {
            if (schedule.hasPhase()) {
              throw new IllegalArgumentException("phase is for schedules with every");
            }
            yield CronTimes.of(
                schedule.getCron().getExpression(),
                schedule.getCron().getTimeZone().isEmpty()
                    ? "UTC"
                    : schedule.getCron().getTimeZone());
          }
          case EVERY -> interval(schedule);
          case TIMES_NOT_SET -> throw new IllegalArgumentException("cron or every must be set");
        };
    long start = schedule.hasStart() ? millis("start", schedule.getStart()) : 0;
    long end = schedule.hasEnd() ? millis("end", schedule.getEnd()) : LAST;
    if (start >= end) {
      throw new IllegalArgumentException("start must be before end");
    }
    long jitter = schedule.hasJitter() ? millis("jitter", schedule.getJitter()) : 0;
    var calendar = new SlotCalendar(schedule.getName(), times, start, end, jitter);
    calendar.requireJitterBetweenSlots();
    return calendar;
  }

  private static SlotTimes interval(Schedule schedule) {
    long every = millis("every", schedule.getEvery());
    if (every < SHORTEST || every > LONGEST) {
      throw new IllegalArgumentException("every must be from 1 second to 366 days");
    }
    long phase = schedule.hasPhase() ? millis("phase", schedule.getPhase()) : 0;
    if (phase >= every) {
      throw new IllegalArgumentException("phase must be shorter than every");
    }
    return new IntervalTimes(every, phase);
  }

  private static long millis(String field, Duration value) {
    if (value.getSeconds() < 0
        || value.getSeconds() > LONGEST / 1_000
        || value.getNanos() < 0
        || value.getNanos() % 1_000_000 != 0) {
      throw new IllegalArgumentException(
          field + " must be from 0 to 366 days, in whole milliseconds");
    }
    return value.getSeconds() * 1_000 + value.getNanos() / 1_000_000;
  }

  /// @throws IllegalArgumentException if it is not between 1970 and 9999
  static long millis(String field, Timestamp value) {
    if (value.getSeconds() < 0
        || value.getSeconds() > LAST / 1_000
        || value.getNanos() < 0
        || value.getNanos() > 999_999_999) {
      throw new IllegalArgumentException(field + " must be a time between 1970 and 9999");
    }
    return value.getSeconds() * 1_000 + value.getNanos() / 1_000_000;
  }

  private void requireJitterBetweenSlots() {
    if (jitter == 0) {
      return;
    }
    long slot = next(start);
    for (int i = 0; i < COMPARED && slot != NONE; i++) {
      long following = next(slot);
      if (following != NONE && following - slot <= jitter) {
        throw new IllegalArgumentException(
            "jitter must be shorter than the time between two slots");
      }
      slot = following;
    }
  }

  /// The first slot after a time; [#NONE] if there is none.
  long next(long time) {
    long slot = times.next(Math.max(Math.max(time, 0), start - 1));
    return slot >= end ? NONE : slot;
  }

  /// When a slot is due: the slot itself, or a little later with jitter.
  ///
  /// @return [ScheduleRow#NEVER] for [#NONE]
  long dueAt(long slot) {
    if (slot == NONE) {
      return ScheduleRow.NEVER;
    }
    return jitter == 0
        ? slot
        : slot + Long.remainderUnsigned(Ids.fingerprint(name + '\n' + slot).high(), jitter);
  }

  /// The first of the latest `count` slots that are due at `now`, from `from` on; `from` itself if
  /// there are not more. Looks back in growing steps: a schedule may have missed millions of slots.
  /// Does not look at all if there cannot be more, as after the first decision about many slots.
  long firstOfLatest(long from, long now, int count) {
    if ((now - from) / times.shortest() < count) {
      return from;
    }
    for (long back = FIRST_LOOK_BACK; ; back *= 2) {
      boolean all = now - back <= from;
      ArrayDeque<Long> latest = new ArrayDeque<>();
      for (long slot = all ? from : next(now - back);
          slot != NONE && dueAt(slot) <= now;
          slot = next(slot)) {
        latest.addLast(slot);
        if (latest.size() > count) {
          latest.removeFirst();
        }
      }
      if (all || latest.size() == count) {
        return latest.isEmpty() ? from : latest.getFirst();
      }
    }
  }
}
