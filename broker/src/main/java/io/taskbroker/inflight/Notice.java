package io.taskbroker.inflight;

/// What the engine tells operators.
public enum Notice {
  /// A message that is no activation goes to the dead-letter topic.
  UNDECODABLE,
  /// An activation is removed because its time is over.
  EXPIRED,
  /// A record is dropped because its id is in flight, or was lately.
  DUPLICATE,
  /// A worker let a processing deadline pass.
  DEADLINE_PASSED,
  /// A worker let the lease of its claim pass.
  LEASE_PASSED,
  /// An activation failed for good and is discarded.
  DISCARDED,
  /// An activation failed for good and goes to the dead-letter topic.
  DEAD_LETTERED,
  /// A retry was produced.
  RETRIED,
  /// No worker is known for an application.
  NO_WORKER,
  /// A worker refused an activation.
  PUSH_REFUSED,
  /// Workers of an application cannot be reached.
  WORKER_UNREACHABLE,
  /// An activation was kept but cannot leave: Kafka will never take it.
  QUARANTINED,
  /// A report was about an id that is not in flight.
  UNKNOWN_ID,
  /// A report came too late, or not in its turn, and was not followed.
  STALE_REPORT
}
