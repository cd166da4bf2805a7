package io.taskbroker.inflight.api;

import io.taskbroker.activation.Activation;

/// Step in the life of a task that has ended, for traces. Immutable. Times are milliseconds since
/// the epoch.
///
/// @param storedAt when the task was stored; with its id it identifies one stay in flight, also
///   after a restart. 0 if it was not stored
/// @param delivery number of deliveries by this process, that of the step included; 0 if the step
///   is about no delivery
/// @param target worker of a delivery, topic of a forward; may be empty
/// @param outcome such as `completed`, in words of [EngineEvent]
/// @param failed whether the outcome is an error
/// @param detail cause of a failure, for people; may be empty
public record TaskSpan(
    Step step,
    Activation activation,
    long storedAt,
    long from,
    long to,
    int delivery,
    String target,
    String outcome,
    boolean failed,
    String detail) {
  /// Kind of a step.
  public enum Step {
    /// From the admission of the task until its row was durable, or a rule dropped it.
    STORE,
    /// From the admission until the row was deleted.
    IN_FLIGHT,
    /// From the begin of a delivery until its worker reported, or until the broker gave it up.
    DELIVERY,
    /// From a report until its effect was durable.
    REPORT,
    /// From the durable decision to forward until Kafka acknowledged or refused the record.
    FORWARD
  }
}
