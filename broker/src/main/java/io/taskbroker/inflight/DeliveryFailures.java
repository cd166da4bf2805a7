package io.taskbroker.inflight;

/// Failed deliveries of one task since a worker last took it. Most tasks have none. Not
/// thread-safe.
final class DeliveryFailures {
  /// Times that a worker refused it, left it unanswered, or was lost with it.
  short refusals;

  short unanswered;
  short losses;

  /// Counts of its queue, lower bits only: accepted and rejected at its first refusal, and accepted
  /// at its last loss.
  int acceptedAtRefusal;

  int rejectedAtRefusal;
  int acceptedAtLoss;
}
