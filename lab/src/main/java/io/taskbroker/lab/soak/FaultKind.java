package io.taskbroker.lab.soak;

/// Kinds of faults of the broker and its dependencies.
enum FaultKind {
  /// SIGKILL and a later restart.
  KILL(true, 8_000),
  /// SIGKILL, and another one during the restart.
  KILL_TWICE(true, 10_000),
  /// SIGTERM and a later restart.
  TERM(true, 4_000),
  /// SIGKILL during a Kafka outage, and a restart before Kafka is back.
  KILL_IN_OUTAGE(true, 9_000),
  /// SIGSTOP and a later SIGCONT.
  FREEZE(false, 100),
  /// The workers of one application die and are replaced later.
  WORKERS_GONE(false, 200),
  /// Kafka stops and restarts later.
  KAFKA_GONE(false, 3_000),
  /// Messages that are no tasks.
  BAD_MESSAGES(false, 200),
  /// Malformed calls, and connections with foreign protocols.
  BAD_CALLS(false, 1_000),
  /// A task is switched off and a namespace demoted for a while; then the file becomes invalid,
  /// then it is repaired.
  RULES(false, 200);

  /// Whether the process ends.
  final boolean restarts;

  /// Estimated milliseconds, beyond the fault's duration, until tasks run again.
  final long cost;

  FaultKind(boolean restarts, long cost) {
    this.restarts = restarts;
    this.cost = cost;
  }
}
