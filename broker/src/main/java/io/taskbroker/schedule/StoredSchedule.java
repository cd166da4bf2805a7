package io.taskbroker.schedule;

import com.google.protobuf.InvalidProtocolBufferException;
import io.taskbroker.activation.ScheduleRow;
import io.taskbroker.activation.Timestamps;
import io.taskbroker.protocol.v1.Firing;
import io.taskbroker.protocol.v1.FiringOutcome;
import io.taskbroker.protocol.v1.Schedule;
import io.taskbroker.protocol.v1.ScheduleState;

/// A schedule as it is stored, and the steps from one version to the next. Immutable. Times are
/// milliseconds since the epoch.
///
/// @param version of the row that it was read from
record StoredSchedule(long version, ScheduleState state) {
  static final int KEPT_FIRINGS = 10;

  /// @throws ScheduleException of kind `REFUSED` if it cannot be decoded
  static StoredSchedule of(ScheduleRow row) {
    try {
      return new StoredSchedule(row.version(), ScheduleState.parseFrom(row.state()));
    } catch (InvalidProtocolBufferException e) {
      throw new ScheduleException(
          ScheduleException.Kind.REFUSED,
          "The state of the schedule %s cannot be decoded: %s".formatted(row.name(), e));
    }
  }

  /// The row of a new schedule.
  ///
  /// @param version which no schedule of that name had before
  static ScheduleRow created(Schedule schedule, SlotCalendar calendar, long version, long now) {
    var state =
        ScheduleState.newBuilder()
            .setSchedule(schedule)
            .setCreatedAt(Timestamps.ofMillis(now))
            .setUpdatedAt(Timestamps.ofMillis(now));
    return row(state, calendar, version, calendar.next(now));
  }

  Schedule schedule() {
    return state.getSchedule();
  }

  /// Its calendar, as this broker understands it.
  ///
  /// @throws ScheduleException of kind `REFUSED` if it does not, such as a time zone that only a
  ///   later version knows
  SlotCalendar calendar() {
    try {
      return SlotCalendar.of(schedule());
    } catch (IllegalArgumentException e) {
      throw new ScheduleException(
          ScheduleException.Kind.REFUSED,
          "This broker does not understand the schedule %s: %s"
              .formatted(schedule().getName(), e.getMessage()));
    }
  }

  /// The slot that is next; [SlotCalendar#NONE] if there is none.
  long slot() {
    return state.hasNextSlot()
        ? SlotCalendar.millis("next_slot", state.getNextSlot())
        : SlotCalendar.NONE;
  }

  /// The row with another schedule of that name.
  ScheduleRow replacedBy(Schedule schedule, SlotCalendar calendar, long now) {
    var next = state.toBuilder().setSchedule(schedule).setUpdatedAt(Timestamps.ofMillis(now));
    long slot = state.getPaused() ? SlotCalendar.NONE : firstSlot(calendar, now);
    return row(next, calendar, version + 1, slot);
  }

  ScheduleRow paused() {
    ScheduleState paused = state.toBuilder().setPaused(true).clearNextSlot().build();
    return new ScheduleRow(
        schedule().getName(), version + 1, ScheduleRow.NEVER, paused.toByteArray());
  }

  ScheduleRow resumed(long now) {
    SlotCalendar calendar = calendar();
    return row(state.toBuilder().setPaused(false), calendar, version + 1, firstSlot(calendar, now));
  }

  /// The first slot after now that has no task: if the clock was ahead, later ones may have one.
  private long firstSlot(SlotCalendar calendar, long now) {
    long fired =
        state.hasLastSlot() ? SlotCalendar.millis("last_slot", state.getLastSlot()) : now;
    return calendar.next(Math.max(now, fired));
  }

  /// The row after a decision about its due slots.
  ///
  /// @param outcome what became of the slot that was fired, if one was
  /// @param taskId empty if no task was enqueued
  ScheduleRow advanced(
      SlotCalendar calendar, DueSlot decided, FiringOutcome outcome, String taskId, long now) {
    ScheduleState.Builder next = state.toBuilder();
    if (decided.skipsFirst()) {
      note(next, slot(), FiringOutcome.FIRING_OUTCOME_SKIPPED, "", now);
    }
    if (decided.fire() != SlotCalendar.NONE) {
      note(next, decided.fire(), outcome, taskId, now);
      if (outcome == FiringOutcome.FIRING_OUTCOME_ENQUEUED) {
        next.setLastSlot(Timestamps.ofMillis(decided.fire())).setLastTaskId(taskId);
      }
    }
    return row(next, calendar, version + 1, decided.next());
  }

  private static void note(
      ScheduleState.Builder state, long slot, FiringOutcome outcome, String taskId, long now) {
    state.addLastFirings(
        0,
        Firing.newBuilder()
            .setSlot(Timestamps.ofMillis(slot))
            .setAt(Timestamps.ofMillis(now))
            .setOutcome(outcome)
            .setTaskId(taskId));
    if (state.getLastFiringsCount() > KEPT_FIRINGS) {
      state.removeLastFirings(KEPT_FIRINGS);
    }
  }

  private static ScheduleRow row(
      ScheduleState.Builder state, SlotCalendar calendar, long version, long slot) {
    if (slot == SlotCalendar.NONE) {
      state.clearNextSlot();
    } else {
      state.setNextSlot(Timestamps.ofMillis(slot));
    }
    return new ScheduleRow(
        state.getSchedule().getName(), version, calendar.dueAt(slot), state.build().toByteArray());
  }
}
