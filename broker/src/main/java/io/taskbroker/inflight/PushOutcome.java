package io.taskbroker.inflight;

/// What became of a call that hands an activation to a worker (H9, H24).
public enum PushOutcome {
  /// The worker has it.
  ACCEPTED,
  /// The worker said that it is busy: it does not have it.
  BUSY,
  /// The worker, or the way there, refused this activation as such. Whether a worker saw it is not
  /// known.
  REFUSED,
  /// The call never reached a worker.
  UNREACHABLE,
  /// The call ended without an answer, by a time-out or a broken connection: the worker may have
  /// it.
  LOST
}
