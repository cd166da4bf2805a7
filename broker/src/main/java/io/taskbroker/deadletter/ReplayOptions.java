package io.taskbroker.deadletter;

import java.time.Duration;

/// Options of a replay. Immutable.
///
/// @param topic where to; empty for the topic of each task
/// @param ratePerSecond maximum rate; positive
/// @param limit maximum number of dead letters to replay; positive
/// @param dryRun whether nothing is changed
/// @param keepAttempts whether the attempts so far still count
/// @param atMostOnce whether at-most-once tasks are replayed, which may have run already
/// @param copies whether copies of a failure that is replayed, or was replayed, are replayed too
/// @param reason why, in the operator's words; may be empty
/// @param patience how long the replay repeats what Kafka does not accept before it fails
public record ReplayOptions(
    String topic,
    double ratePerSecond,
    long limit,
    boolean dryRun,
    boolean keepAttempts,
    boolean atMostOnce,
    boolean copies,
    String reason,
    Duration patience) {

  /// All dead letters to their own topics, at 100 a second.
  public static final ReplayOptions DEFAULT =
      new ReplayOptions(
          "", 100, Long.MAX_VALUE, false, false, false, false, "", Duration.ofMinutes(2));

  public ReplayOptions {
    if (!(ratePerSecond > 0) || limit < 1) {
      throw new IllegalArgumentException(
          "a replay needs a positive rate and limit, not %s and %d"
              .formatted(ratePerSecond, limit));
    }
  }
}
