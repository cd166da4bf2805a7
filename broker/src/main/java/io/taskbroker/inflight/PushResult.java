package io.taskbroker.inflight;

/// Outcome of a push call, with its cause. Immutable.
///
/// @param detail may be empty
/// @param others whether there are connections to other workers of the application, so that the
///   outcome may hold for one worker only; without meaning if it is accepted
public record PushResult(PushOutcome outcome, String detail, boolean others) {
  private static final PushResult ACCEPTED = new PushResult(PushOutcome.ACCEPTED, "", false);

  /// The result; shared if it is the usual one.
  static PushResult of(PushOutcome outcome, String detail, boolean others) {
    return outcome == PushOutcome.ACCEPTED && detail.isEmpty()
        ? ACCEPTED
        : new PushResult(outcome, detail, others);
  }
}
