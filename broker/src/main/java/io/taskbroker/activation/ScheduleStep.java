package io.taskbroker.activation;

/// Step of a schedule from one slot to the next, made in the transaction that stores the task of
/// the slot, and only if nobody else changed the schedule meanwhile.
///
/// @param version the version of the schedule that this step follows
/// @param next the schedule after the step
public record ScheduleStep(long version, ScheduleRow next) {}
