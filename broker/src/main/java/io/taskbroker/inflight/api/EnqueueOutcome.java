package io.taskbroker.inflight.api;

/// Outcome of one task that a client enqueued.
public enum EnqueueOutcome {
  /// It is durable.
  ACCEPTED,
  /// A durable task of its id is in flight, or ended and is remembered.
  ALREADY_EXISTS,
  /// The store cannot hold it (H12).
  UNSTORABLE,
  /// There is no room, neither in memory nor on disk (G7).
  FULL,
  /// A rule switches it off (H22).
  SWITCHED_OFF,
  /// It had expired before it arrived (W28).
  EXPIRED,
  /// Another broker has fired its slot, or its schedule was changed.
  SUPERSEDED
}
