package io.taskbroker.lab.demo;

/// Kinds of tasks in a demo.
enum DemoTaskKind {
  PLAIN(0),
  /// Is delayed by one to three seconds.
  DELAYED(0.01),
  /// Requests a retry in its first execution.
  RETRIED(0.02),
  /// Fails for good, with a dead letter.
  FAILING(0.002),
  /// Overruns its processing deadline in its first execution.
  OVERRUNNING(0.001),
  /// At most once: must never run twice.
  AT_MOST_ONCE(0.01),
  /// Has expired at publication, and must not run.
  EXPIRED(0.001);

  /// Share of all tasks; the rest is plain.
  final double share;

  DemoTaskKind(double share) {
    this.share = share;
  }
}
