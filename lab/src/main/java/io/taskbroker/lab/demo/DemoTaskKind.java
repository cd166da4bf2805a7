package io.taskbroker.lab.demo;

/// What is special about a task of the demo.
enum DemoTaskKind {
  PLAIN(0),
  /// Is not to run before one to three seconds have passed.
  DELAYED(0.01),
  /// Asks for a retry when it runs for the first time.
  RETRIED(0.02),
  /// Fails for good, and belongs on the dead-letter topic.
  FAILING(0.002),
  /// Lets its processing deadline pass when it runs for the first time.
  OVERRUNNING(0.001),
  /// Must not run twice, whatever happens.
  AT_MOST_ONCE(0.01),
  /// Has expired when it is published, and must not run.
  EXPIRED(0.001);

  /// Of all tasks; what remains is plain.
  final double share;

  DemoTaskKind(double share) {
    this.share = share;
  }
}
