package io.taskbroker.inflight;

/// Counted event of an activation, whether or not operators get a [Notice] of it.
public enum Tally {
  /// A worker is being called with it, and it never missed a deadline.
  CLAIMED,
  /// A called worker took it, and it never missed a deadline.
  PUSHED,
  /// A polling worker received it, and it never missed a deadline.
  PULLED,
  /// A worker completed it.
  COMPLETED,
  /// Failed for good and discarded.
  DISCARDED,
  /// Failed for good; its dead letter is being forwarded.
  DEAD_LETTERED,
  /// Kafka acknowledged its dead letter.
  DEAD_LETTER_PRODUCED,
  /// Kafka acknowledged its retry.
  RETRY_PRODUCED,
  /// Expired in flight.
  EXPIRED,
  /// Expired before it arrived.
  EXPIRED_ON_ARRIVAL,
  /// Record dropped: a killswitch names its task.
  KILLED_BY_NAME,
  /// Record dropped: a killswitch selects its arguments.
  KILLED_BY_SELECTOR,
  /// Removed in flight by a killswitch.
  SWITCHED_OFF,
  /// Record forwarded: its namespace is demoted.
  DEMOTED,
  /// Forwarded in flight: its namespace is demoted.
  DEMOTED_IN_FLIGHT,
  /// Kafka acknowledged it in the topic that its namespace is demoted to.
  DEMOTION_PRODUCED,
  /// That topic will never take it.
  DEMOTION_REFUSED,
  /// Kept although its namespace is demoted: this broker consumes the target topic.
  DEMOTION_SKIPPED,
  DELAY_ELAPSED,
  DEADLINE_PASSED,
  /// Failed after too many missed deadlines.
  ATTEMPTS_EXCEEDED,
  LEASE_PASSED,
  /// Waits in Kafka: its application has too many runnable tasks, or too many with workers.
  HELD_BY_PENDING,
  HELD_BY_PROCESSING,
  /// Waits in Kafka: the store, or the memory, is full.
  HELD_BY_STORE,
  HELD_BY_MEMORY,
  /// Waits in Kafka: too many tasks are being forwarded.
  HELD_BY_FORWARDING
}
