package io.taskbroker.activation;

/// The store's answer to one [Change].
public enum ChangeOutcome {
  /// Durable.
  APPLIED,
  /// The key of the insert exists already; nothing is written.
  DUPLICATE,
  /// The row of the status update, offset confirmation, forward or delete does not exist.
  MISSING,
  /// Another broker has fired the slot, or the schedule was changed; nothing is written.
  SUPERSEDED,
  /// The partition of the change belongs to another broker; nothing is written.
  FENCED
}
