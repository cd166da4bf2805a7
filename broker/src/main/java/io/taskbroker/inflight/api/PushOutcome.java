package io.taskbroker.inflight.api;

/// Outcome of a push call: where the activation is, and what caused a refusal (H9, H24).
/// `docs/push-statuses.md` has the table of statuses.
public enum PushOutcome {
  /// The worker has it.
  ACCEPTED,

  /// Refused for load before it reached a handler: proof that the worker does not have it.
  BUSY,

  /// Refused for load, or for lack of a healthy worker, by the worker or by a proxy. A handler may
  /// have seen it.
  OVERLOADED,

  /// Proof that the call never reached a worker.
  UNREACHABLE,

  /// Refused because of the content of the activation, such as its size. A handler may have seen
  /// it.
  REFUSED,

  /// Refused without proof that the activation is the cause: the worker may refuse every one, for
  /// instance for a wrong service, secret or permission. A handler may have seen it.
  REJECTED,

  /// The call timed out, or the other side cancelled it: the worker may have it.
  UNANSWERED,

  /// The connection broke during the call, for instance because the worker died: it may have it.
  LOST
}
