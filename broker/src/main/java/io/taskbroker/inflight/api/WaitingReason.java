package io.taskbroker.inflight.api;

import java.util.OptionalLong;

/// Reason why a task does not run now, from the state of the engine alone. Immutable.
///
/// @param until when it ends by itself, milliseconds since the epoch; empty if that depends on
///   something else
/// @param detail topic, partition, application or position, as [Kind] says; may be empty
public record WaitingReason(Kind kind, OptionalLong until, String detail) {
  /// Maximum of a position in a queue; larger ones are clamped to it.
  public static final int MAX_POSITION = 10_000;

  /// Class of reason.
  public enum Kind {
    /// The insert is not durable yet.
    INSERTING,
    /// The delay has not ended.
    DELAYED,
    /// The row is on disk only, until it is due or there is room in memory.
    PARKED,
    /// At most once: the offset of its record is not committed. Detail: topic, partition, offset.
    OFFSET_COMMIT,
    /// At most once: the partition is not assigned to this broker. Detail: topic and partition.
    PARTITION_NOT_ASSIGNED,
    /// At most once: its status is being written before it is delivered.
    STATUS_WRITE,
    /// Its partition is being released to another broker.
    PARTITION_RELEASED,
    /// Another task of the same id must end first.
    SAME_ID,
    /// An earlier delivery was refused or had an uncertain outcome, or the task was found at
    /// startup: delivered again after a pause.
    POSTPONED,
    /// An operator paused it. Detail: the pause.
    PAUSED,
    /// The broker is stopping, or its lease on the store ended.
    BROKER_NOT_DELIVERING,
    /// No worker is configured for the application. Detail: the application.
    NO_WORKER,
    /// The worker is unreachable, overloaded or rejects calls.
    WORKER_PAUSED,
    /// A worker is called with one task alone, since workers died of it. Detail: the id of that
    /// task.
    SUSPECT_RUNS_ALONE,
    /// The call window is full. Detail: the number of calls in flight.
    CALL_WINDOW_FULL,
    /// The channels of its workers take no more tasks now. Detail: the application.
    NO_CREDITS,
    /// The maximum number of changes waits for the store.
    STORE_BEHIND,
    /// Other tasks are before it. Detail: its position in the queue of its application and
    /// namespace.
    QUEUED,
    /// A worker has it.
    WITH_WORKER,
    /// It is being produced to another topic. Detail: the topic.
    FORWARDING,
    /// Kafka refused it; it is produced again now and then. Detail: the topic.
    QUARANTINED,
    /// It has ended; its row is being deleted.
    ENDED
  }

  /// A reason that ends when something else happens.
  public static WaitingReason of(Kind kind, String detail) {
    return new WaitingReason(kind, OptionalLong.empty(), detail);
  }

  /// A reason that ends by itself.
  ///
  /// @param wallTime milliseconds since the epoch
  public static WaitingReason until(Kind kind, long wallTime) {
    return new WaitingReason(kind, OptionalLong.of(wallTime), "");
  }
}
