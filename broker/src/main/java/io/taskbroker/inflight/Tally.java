package io.taskbroker.inflight;

/// What happens to activations and is counted, whether operators are told of it or not ([Notice]).
public enum Tally {
  /// It is on its way to a worker, and never overran a deadline.
  CLAIMED,
  /// A worker took it when it was called, and it never overran a deadline.
  PUSHED,
  /// A worker fetched it, and it never overran a deadline.
  PULLED,
  /// A worker completed it.
  COMPLETED,
  /// It failed for good and is discarded.
  DISCARDED,
  /// It failed for good and is to be a dead letter.
  DEAD_LETTERED,
  /// Kafka has it as a dead letter.
  DEAD_LETTER_PRODUCED,
  /// Kafka has its retry.
  RETRY_PRODUCED,
  /// It was in flight when its time was over.
  EXPIRED,
  /// Its time was over when it came.
  EXPIRED_ON_ARRIVAL,
  /// Its record was dropped, as its task is switched off by name.
  KILLED_BY_NAME,
  /// Its record was dropped, as a task of such arguments is switched off.
  KILLED_BY_SELECTOR,
  /// It was in flight when it was switched off.
  SWITCHED_OFF,
  /// Its record was passed on, as its namespace is demoted.
  DEMOTED,
  /// It was in flight, and is passed on, as its namespace is demoted.
  DEMOTED_IN_FLIGHT,
  /// Kafka has it in the topic that its namespace is demoted to.
  DEMOTION_PRODUCED,
  /// Kafka will never take it there.
  DEMOTION_REFUSED,
  /// It stays although its namespace is demoted: it would come back.
  DEMOTION_SKIPPED,
  DELAY_ELAPSED,
  DEADLINE_PASSED,
  /// It overran its deadlines too often, and has failed.
  ATTEMPTS_EXCEEDED,
  LEASE_PASSED,
  /// It has to wait outside, as its application has too much that could run, or with its workers.
  HELD_BY_PENDING,
  HELD_BY_PROCESSING,
  /// It has to wait outside, as the store, or the memory, is full.
  HELD_BY_STORE,
  HELD_BY_MEMORY,
  /// It has to wait outside, as too much waits for Kafka to take it.
  HELD_BY_FORWARDING
}
