package io.taskbroker.inflight.api;

/// Step in the life of an activation, reported only where the log follows activations
/// ([EventPort#follows]). An [EngineEvent] reports failures in any case.
public enum TaskLifecycle {
  /// Accepted; may run once it is durable.
  RECEIVED,
  /// Accepted; waits for the end of its delay.
  DELAYED,
  /// Accepted; on disk only until there is room in memory, or until it is due.
  PARKED,
  /// Unparked: in memory again.
  READ_BACK,
  /// The delay ended.
  DELAY_ENDED,
  /// A worker is being called with it.
  CALLED,
  /// The called worker took it.
  TAKEN,
  /// No worker is known to have taken it in a call.
  NOT_TAKEN,
  /// A polling worker received it.
  FETCHED,
  /// A worker reported on it.
  REPORTED,
  /// Completed.
  COMPLETED,
  /// Kafka acknowledged its retry.
  RETRY_PRODUCED,
  /// Kafka acknowledged it as a dead letter, or in the topic that its namespace is demoted to.
  PRODUCED
}
