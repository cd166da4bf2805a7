package io.taskbroker.client;

import java.time.Instant;
import java.util.Optional;

/// A schedule as the broker has it.
///
/// @param nextSlot its next time; empty if it is paused or has none
/// @param lastSlot the time for which it enqueued a call last
/// @param lastTaskId the id of that call
/// @param taskName the task that it enqueues
public record ScheduleState(
    String name,
    boolean paused,
    Optional<Instant> nextSlot,
    Optional<Instant> lastSlot,
    Optional<String> lastTaskId,
    String taskName,
    String description) {}
