package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;

/// What the engine tells operators.
public enum Notice {
  /// A message that is no activation goes to the dead-letter topic.
  UNDECODABLE,
  /// An activation is removed because its time is over.
  EXPIRED,
  /// A record is dropped because its task is switched off by name.
  KILLED_BY_NAME,
  /// A record is dropped because a task of such arguments is switched off.
  KILLED_BY_SELECTOR,
  /// An activation in flight is removed because it is switched off.
  SWITCHED_OFF,
  /// A record is passed on because its namespace is demoted.
  DEMOTED,
  /// An activation in flight is passed on because its namespace is demoted.
  DEMOTED_IN_FLIGHT,
  /// A record stays although its namespace is demoted: it would come back.
  DEMOTION_SKIPPED,
  /// A record is dropped because its id is in flight, or was lately.
  DUPLICATE,
  /// A worker let a processing deadline pass.
  DEADLINE_PASSED,
  /// A worker let the lease of its claim pass.
  LEASE_PASSED,
  /// An activation failed for good and is discarded.
  DISCARDED,
  /// An activation failed for good and goes to the dead-letter topic.
  DEAD_LETTERED,
  /// A retry was produced.
  RETRIED,
  /// No worker is known for an application.
  NO_WORKER,
  /// A worker refused an activation.
  PUSH_REFUSED,
  /// Workers of an application cannot be reached.
  WORKER_UNREACHABLE,
  /// Workers of an application refuse for load again and again.
  WORKER_OVERLOADED,
  /// Workers of an application refuse whatever they are handed.
  WORKER_REJECTS,
  /// A worker died while it was handed an activation alone.
  WORKER_DIED,
  /// An activation was kept but cannot be produced: Kafka refuses it, or its topic is not
  /// configured.
  QUARANTINED,
  /// A report was about an id that is not in flight.
  UNKNOWN_ID,
  /// A report came too late, or not in its turn, and was not followed.
  STALE_REPORT;

  /// What is told of a demotion.
  static String namespaceAndTask(Activation activation) {
    return activation.namespace() + "/" + activation.taskname();
  }
}
