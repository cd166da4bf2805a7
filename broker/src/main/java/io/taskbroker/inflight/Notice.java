package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;

/// Event that the engine reports to operators.
public enum Notice {
  /// An undecodable message is forwarded to the dead-letter topic.
  UNDECODABLE,
  /// An expired activation is removed.
  EXPIRED,
  /// A record is dropped because a killswitch names its task.
  KILLED_BY_NAME,
  /// A record is dropped because a killswitch selects its arguments.
  KILLED_BY_SELECTOR,
  /// An activation in flight is removed by a killswitch.
  SWITCHED_OFF,
  /// A record is forwarded because its namespace is demoted.
  DEMOTED,
  /// An activation in flight is forwarded because its namespace is demoted.
  DEMOTED_IN_FLIGHT,
  /// A record is kept although its namespace is demoted: this broker consumes the target topic.
  DEMOTION_SKIPPED,
  /// A record is dropped because its id is in flight or has a tombstone.
  DUPLICATE,
  /// A processing deadline passed.
  DEADLINE_PASSED,
  /// The lease of a claim passed.
  LEASE_PASSED,
  /// An activation failed for good and is discarded.
  DISCARDED,
  /// An activation failed for good and is forwarded to the dead-letter topic.
  DEAD_LETTERED,
  /// A retry is forwarded to the retry topic.
  RETRIED,
  /// An application has no known worker.
  NO_WORKER,
  /// A worker refused an activation.
  PUSH_REFUSED,
  /// The workers of an application are unreachable.
  WORKER_UNREACHABLE,
  /// The workers of an application keep refusing calls for load.
  WORKER_OVERLOADED,
  /// The workers of an application reject every activation.
  WORKER_REJECTS,
  /// A worker died while it was called with one activation alone.
  WORKER_DIED,
  /// The worker that had an activation is gone.
  WORKER_LOST,
  /// An activation cannot be produced and is kept: Kafka refuses it, or its topic is not
  /// configured.
  QUARANTINED,
  /// A report names an id that is not in flight.
  UNKNOWN_ID,
  /// A report came too late or out of order and is ignored.
  STALE_REPORT;

  /// The detail of a notice about a demotion.
  static String namespaceAndTask(Activation activation) {
    return activation.namespace() + "/" + activation.taskname();
  }
}
