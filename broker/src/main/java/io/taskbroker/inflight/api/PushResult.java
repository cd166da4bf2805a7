package io.taskbroker.inflight.api;

/// Outcome of a push call, with its cause. Immutable.
///
/// @param detail may be empty
/// @param others whether there are connections to other workers of the application, so that the
///   outcome may hold for one worker only; without meaning if it is accepted
/// @param worker address of the worker that accepted, `host:port`; empty if it is not known
public record PushResult(PushOutcome outcome, String detail, boolean others, String worker) {
  private static final PushResult ACCEPTED = accepted("");

  /// The result of calls that this worker accepts, to be shared by all of them.
  public static PushResult accepted(String worker) {
    return new PushResult(PushOutcome.ACCEPTED, "", false, worker);
  }

  /// The result; shared if it is the usual one.
  public static PushResult of(PushOutcome outcome, String detail, boolean others) {
    return outcome == PushOutcome.ACCEPTED && detail.isEmpty()
        ? ACCEPTED
        : new PushResult(outcome, detail, others, "");
  }
}
