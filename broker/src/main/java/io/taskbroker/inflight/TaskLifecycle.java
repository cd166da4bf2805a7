package io.taskbroker.inflight;

/// The steps in the life of an activation, which are told where somebody follows them
/// ([Effects#follows]); its ends for the worse are told by a [Notice] in any case.
public enum TaskLifecycle {
  /// It is taken in, and may run when it is durable.
  RECEIVED,
  /// It is taken in, and waits for its time.
  DELAYED,
  /// It is taken in, and stays on disk only until there is room for it, or until its time.
  PARKED,
  /// It was on disk only, and is in memory again.
  READ_BACK,
  /// Its delay is over.
  DELAY_ENDED,
  /// A worker is called with it.
  CALLED,
  /// A worker took it when it was called.
  TAKEN,
  /// No worker is known to have taken it when one was called.
  NOT_TAKEN,
  /// A worker that asked for tasks got it.
  FETCHED,
  /// A worker reported.
  REPORTED,
  /// It is done.
  COMPLETED,
  /// Kafka has its retry.
  RETRY_PRODUCED,
  /// Kafka has it as a dead letter, or in the topic that its namespace is demoted to.
  PRODUCED
}
