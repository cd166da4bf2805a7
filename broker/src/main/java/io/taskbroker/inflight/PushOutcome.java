package io.taskbroker.inflight;

/// Outcome of a push call: where the activation is, and who is to blame if it was not taken (H9,
/// H24). `docs/push-statuses.md` has the table of statuses.
public enum PushOutcome {
  /// The worker has it.
  ACCEPTED,

  /// Refused for load before it reached a handler: proof that the worker does not have it.
  BUSY,

  /// Refused for load, or for want of a healthy worker, by the worker or by a proxy. A handler may
  /// have seen it.
  OVERLOADED,

  /// Proof that the call never reached a worker.
  UNREACHABLE,

  /// Refused because of what the activation contains, such as its size. A handler may have seen it.
  REFUSED,

  /// Refused without proof that the activation is the cause: the worker may refuse every one, as
  /// with a wrong service, secret or permission. A handler may have seen it.
  REJECTED,

  /// The call ran out of time, or was cancelled by the other side: the worker may have it.
  UNANSWERED,

  /// The connection broke under the call, as when a worker dies: it may have it.
  LOST
}
