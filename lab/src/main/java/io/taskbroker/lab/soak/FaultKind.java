package io.taskbroker.lab.soak;

/// What is done to the broker and to what it depends on.
enum FaultKind {
  /// SIGKILL, and a start after a while.
  KILL(true, 8_000),
  /// SIGKILL, and another one while it starts.
  KILL_TWICE(true, 10_000),
  /// SIGTERM, and a start after a while.
  TERM(true, 4_000),
  /// SIGKILL while Kafka is down, and a start before Kafka comes back.
  KILL_IN_OUTAGE(true, 9_000),
  /// SIGSTOP, and SIGCONT after a while.
  FREEZE(false, 100),
  /// The workers of one application die, and others come after a while.
  WORKERS_GONE(false, 200),
  /// Kafka stops, and starts after a while.
  KAFKA_GONE(false, 3_000),
  /// Messages that are no tasks.
  BAD_MESSAGES(false, 200),
  /// Calls that make no sense, and connections that speak something else.
  BAD_CALLS(false, 1_000),
  /// A task is switched off and a namespace demoted for a while; then the file breaks, then it is
  /// put right.
  RULES(false, 200);

  /// Whether the process ends.
  final boolean restarts;

  /// Milliseconds that it takes, beyond how long it lasts, until tasks run again; an estimate.
  final long cost;

  FaultKind(boolean restarts, long cost) {
    this.restarts = restarts;
    this.cost = cost;
  }
}
