package io.taskbroker.inflight.api;

/// Event that the engine reports: each is counted, and those with a level are logged.
public enum EngineEvent {
  // Deliveries.

  /// A worker is being called with it, and it never missed a deadline.
  CLAIMED(Level.COUNTED),
  /// A called worker took it, and it never missed a deadline.
  PUSHED(Level.COUNTED),
  /// A polling worker received it, and it never missed a deadline.
  PULLED(Level.COUNTED),
  /// A worker refused an activation.
  PUSH_REFUSED(Level.WARN),
  /// The lease of a claim passed.
  LEASE_PASSED(Level.INFO),
  /// A processing deadline passed.
  DEADLINE_PASSED(Level.INFO),
  /// Failed after too many missed deadlines.
  ATTEMPTS_EXCEEDED(Level.COUNTED),
  DELAY_ELAPSED(Level.COUNTED),

  // Ends.

  /// A worker completed it.
  COMPLETED(Level.COUNTED),
  /// Failed for good and discarded.
  DISCARDED(Level.INFO),
  /// Failed for good; its dead letter is being forwarded.
  DEAD_LETTERED(Level.INFO),
  /// Kafka acknowledged its dead letter.
  DEAD_LETTER_PRODUCED(Level.COUNTED),
  /// A retry is forwarded to the retry topic.
  RETRIED(Level.DEBUG),
  /// Kafka acknowledged its retry.
  RETRY_PRODUCED(Level.COUNTED),
  /// Expired in flight.
  EXPIRED(Level.DEBUG),
  /// Cannot be produced and is kept: Kafka refuses it, or its topic is not configured.
  QUARANTINED(Level.WARN),

  // Arrivals.

  /// An undecodable message is forwarded to the dead-letter topic.
  UNDECODABLE(Level.WARN),
  /// Expired before it arrived.
  EXPIRED_ON_ARRIVAL(Level.DEBUG),
  /// A record is dropped because its id is in flight or has a tombstone.
  DUPLICATE(Level.DEBUG),
  /// Waits in Kafka: its application has too many runnable tasks, or too many with workers.
  HELD_BY_PENDING(Level.COUNTED),
  HELD_BY_PROCESSING(Level.COUNTED),
  /// Waits in Kafka: the store, or the memory, is full.
  HELD_BY_STORE(Level.COUNTED),
  HELD_BY_MEMORY(Level.COUNTED),
  /// Waits in Kafka: too many tasks are being forwarded.
  HELD_BY_FORWARDING(Level.COUNTED),

  // Rules.

  /// Record dropped: a killswitch names its task.
  KILLED_BY_NAME(Level.DEBUG),
  /// Record dropped: a killswitch selects its arguments.
  KILLED_BY_SELECTOR(Level.DEBUG),
  /// Removed in flight by a killswitch.
  SWITCHED_OFF(Level.DEBUG),
  /// Record forwarded: its namespace is demoted.
  DEMOTED(Level.DEBUG),
  /// Forwarded in flight: its namespace is demoted.
  DEMOTED_IN_FLIGHT(Level.DEBUG),
  /// Kafka acknowledged it in the topic that its namespace is demoted to.
  DEMOTION_PRODUCED(Level.COUNTED),
  /// That topic will never take it.
  DEMOTION_REFUSED(Level.COUNTED),
  /// Kept although its namespace is demoted: this broker consumes the target topic.
  DEMOTION_SKIPPED(Level.INFO),

  // Workers of an application.

  /// An application has no known worker.
  NO_WORKER(Level.WARN),
  /// The workers of an application are unreachable.
  WORKER_UNREACHABLE(Level.WARN),
  /// The workers of an application keep refusing calls for load.
  WORKER_OVERLOADED(Level.WARN),
  /// The workers of an application reject every activation.
  WORKER_REJECTS(Level.WARN),
  /// A worker died while it was called with one activation alone.
  WORKER_DIED(Level.WARN),
  /// The worker that had an activation is gone.
  WORKER_LOST(Level.WARN),

  // Reports.

  /// A report names an id that is not in flight.
  UNKNOWN_ID(Level.DEBUG),
  /// A report came too late or out of order and is ignored.
  STALE_REPORT(Level.DEBUG);

  /// Log level of an event.
  public enum Level {
    /// Counted only.
    COUNTED,
    DEBUG,
    INFO,
    WARN
  }

  private final Level level;

  EngineEvent(Level level) {
    this.level = level;
  }

  public Level level() {
    return level;
  }

  /// Whether operators get a line of it, if the log has its level.
  public boolean isLogged() {
    return level != Level.COUNTED;
  }
}
