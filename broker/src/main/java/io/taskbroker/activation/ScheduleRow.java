package io.taskbroker.activation;

/// Durable state of a schedule.
///
/// @param version changes with each write, and is never that of another schedule of the same name:
///   a write names the version that it replaces
/// @param dueAt when to fire its next slot, milliseconds since the epoch; [#NEVER] if it is paused
///   or has no further slot
/// @param state the schedule and what became of its slots, encoded by its owner; must not be
///   modified
@SuppressWarnings("ArrayRecordComponent") // never compared
public record ScheduleRow(String name, long version, long dueAt, byte[] state) {
  public static final long NEVER = Long.MAX_VALUE;
}
