package io.taskbroker.lab.soak;

/// What is special about a task of the soak, and what may become of it.
enum SoakTaskKind {
  PLAIN(0, End.COMPLETED),
  /// Runs for seconds.
  SLOW(0.04, End.COMPLETED),
  /// Comes from a raw topic.
  RAW(0.08, End.COMPLETED),
  /// Hundreds of kilobytes.
  LARGE(0.003, End.COMPLETED),
  /// Is not to run before some seconds have passed.
  DELAYED(0.05, End.COMPLETED),
  /// Is delayed beyond the horizon from which on a task is on disk only; none in a short soak.
  FAR(0.01, End.COMPLETED),
  /// Asks for a retry when it runs for the first time.
  RETRIED(0.03, End.COMPLETED),
  /// Lets its deadline pass when it runs for the first time.
  OVERRUNNING(0.002, End.COMPLETED),
  /// Asks for retries until it may have no more, and fails then.
  EXHAUSTED(0.005, End.DEAD_LETTER),
  /// Fails for good.
  FAILING(0.005, End.DEAD_LETTER),
  /// Fails for good, and is to leave no trace.
  DISCARDED(0.005, End.DISCARDED),
  /// Has expired when it is published, and must not run.
  EXPIRED(0.003, End.DEAD_LETTER),
  /// Expires soon: it runs, or does not.
  EXPIRING(0.02, End.COMPLETED_OR_DEAD_LETTER),
  /// Must not run twice, whatever happens.
  AT_MOST_ONCE(0.03, End.COMPLETED_OR_DEAD_LETTER),
  /// Is switched off by rules at times.
  SWITCHED(0.03, End.COMPLETED_OR_SWITCHED_OFF),
  /// Is of a namespace that is demoted at times.
  DEMOTABLE(0.03, End.COMPLETED_OR_DEMOTED);

  /// How a task may end.
  enum End {
    COMPLETED,
    DEAD_LETTER,
    DISCARDED,
    COMPLETED_OR_DEAD_LETTER,
    COMPLETED_OR_SWITCHED_OFF,
    COMPLETED_OR_DEMOTED
  }

  /// Of all tasks; what remains is plain.
  final double share;

  final End end;

  SoakTaskKind(double share, End end) {
    this.share = share;
    this.end = end;
  }
}
