package io.taskbroker.inflight.api;

/// Verdict on a result of a worker.
public enum ResultStatus {
  /// It counts, or counted when it came before.
  ACCEPTED,
  /// The task was delivered again, or ended otherwise: no effect.
  STALE,
  /// The broker has no task of that id.
  UNKNOWN
}
