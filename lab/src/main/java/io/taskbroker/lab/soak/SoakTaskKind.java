package io.taskbroker.lab.soak;

/// Kinds of tasks in a soak, with their possible ends.
enum SoakTaskKind {
  PLAIN(0, End.COMPLETED),
  /// Runs for seconds.
  SLOW(0.04, End.COMPLETED),
  /// Comes from a raw topic.
  RAW(0.08, End.COMPLETED),
  /// Has hundreds of kilobytes.
  LARGE(0.003, End.COMPLETED),
  /// Is delayed by some seconds.
  DELAYED(0.05, End.COMPLETED),
  /// Is delayed beyond the parking horizon, so that it is on disk only; none in a short soak.
  FAR(0.01, End.COMPLETED),
  /// Requests a retry in its first execution.
  RETRIED(0.03, End.COMPLETED),
  /// Overruns its deadline in its first execution.
  OVERRUNNING(0.002, End.COMPLETED),
  /// Requests retries until its attempts are used up, and then fails.
  EXHAUSTED(0.005, End.DEAD_LETTER),
  /// Fails for good, with a dead letter.
  FAILING(0.005, End.DEAD_LETTER),
  /// Fails for good, and is discarded.
  DISCARDED(0.005, End.DISCARDED),
  /// Has expired at publication, and must not run.
  EXPIRED(0.003, End.DEAD_LETTER),
  /// Expires soon: it may run or not.
  EXPIRING(0.02, End.COMPLETED_OR_DEAD_LETTER),
  /// At most once: must never run twice.
  AT_MOST_ONCE(0.03, End.COMPLETED_OR_DEAD_LETTER),
  /// Is switched off by rules at times.
  SWITCHED(0.03, End.COMPLETED_OR_SWITCHED_OFF),
  /// Belongs to a namespace that is demoted at times.
  DEMOTABLE(0.03, End.COMPLETED_OR_DEMOTED);

  /// Possible ends of a task.
  enum End {
    COMPLETED,
    DEAD_LETTER,
    DISCARDED,
    COMPLETED_OR_DEAD_LETTER,
    COMPLETED_OR_SWITCHED_OFF,
    COMPLETED_OR_DEMOTED
  }

  /// Share of all tasks; the rest is plain.
  final double share;

  final End end;

  SoakTaskKind(double share, End end) {
    this.share = share;
    this.end = end;
  }
}
