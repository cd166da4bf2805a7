package io.taskbroker.inflight;

/// Event that moves a task in flight from one [TaskState] to the next.
enum TaskEvent {
  /// The insert of the row is durable.
  INSERTED,
  /// The store cannot hold the row: an undecodable message replaces it, or nothing does (H12).
  INSERT_REJECTED,
  /// The delay ended.
  DELAY_ENDED,
  /// The offset of the record is committed; the store is informed (H2).
  CONFIRM_OFFSET,
  /// A worker is called with an at-most-once task once the claim is durable (G3).
  WRITE_CLAIM,
  /// A worker that polls receives an at-most-once task once that is durable (G3).
  WRITE_START,
  /// The status update that a delivery or the first run waited for is durable.
  STATUS_WRITTEN,
  /// A worker is being called with the task.
  CLAIM,
  /// A worker has the task.
  START,
  /// No worker has the task any more; it may run again.
  REQUEUE,
  /// The task is forwarded to the dead-letter topic or, demoted, to another topic.
  FORWARD_FAILURE,
  /// The next attempt is forwarded to the retry topic.
  FORWARD_RETRY,
  /// The forward is durable: the outbox takes the record.
  PRODUCE,
  /// Kafka refused the record.
  REFUSED,
  /// The task is done, discarded, or produced to its topic: its row is deleted.
  COMPLETE,
  /// The delete is durable.
  DELETED,
  /// The row now belongs to another broker: the task leaves memory, and nothing is written.
  EVICT
}
