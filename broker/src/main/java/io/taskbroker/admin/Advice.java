package io.taskbroker.admin;

import io.taskbroker.inflight.api.WaitingReason;

/// Advice to operators on a task that waits, by the reason.
final class Advice {
  private Advice() {}

  static String on(WaitingReason.Kind reason) {
    return switch (reason) {
      case INSERTING -> "It is being stored. If that lasts, the store is slow: see /health.";
      case DELAYED -> "Its delay has not ended. The act run_now ends it.";
      case PARKED ->
          "It is on disk until it is due or memory has room. If it is due, its application has a"
              + " backlog: see its workers. The act run_now ends a delay.";
      case OFFSET_COMMIT ->
          "It may run at most once and waits for its Kafka offset to be committed. If that lasts,"
              + " see whether Kafka answers.";
      case PARTITION_NOT_ASSIGNED ->
          "It may run at most once, and its partition is not assigned to this broker. See the"
              + " members of the consumer group.";
      case STATUS_WRITE -> "Its status is being written. If that lasts, the store is slow.";
      case PARTITION_RELEASED -> "Its partition is moving to another broker.";
      case SAME_ID -> "Another task of the same id must end first.";
      case POSTPONED -> "It is delivered again after a pause.";
      case PAUSED -> "An operator paused it: resume it.";
      case BROKER_NOT_DELIVERING ->
          "The broker drains, or its lease on the store ended. If it should not drain, see whether"
              + " Postgres answers, or restart it.";
      case NO_WORKER ->
          "worker_map has no worker for its application: add one and restart the broker.";
      case WORKER_PAUSED ->
          "The workers of its application are unreachable, overloaded, or reject calls: see the"
              + " broker's log and the workers.";
      case SUSPECT_RUNS_ALONE ->
          "Workers died of another task, which now runs alone. If that task is bad, discard it.";
      case CALL_WINDOW_FULL ->
          "As many calls are in flight as the workers answer in time: add workers if it waits too"
              + " long.";
      case NO_CREDITS ->
          "Its workers take no more tasks now: add workers, or slots, if it waits too long.";
      case STORE_BEHIND -> "The store is slow: see its disk or the database.";
      case QUEUED -> "Other tasks are before it: add workers if it waits too long.";
      case WITH_WORKER ->
          "A worker has it. If that worker is gone, the act retry delivers it again before its"
              + " deadline.";
      case FORWARDING -> "It is being produced to Kafka. If that lasts, see whether Kafka answers.";
      case QUARANTINED ->
          "Kafka refused it: see taskbroker quarantine list. The act retry produces it again at"
              + " once.";
      case ENDED -> "It has ended; its row is being deleted.";
    };
  }
}
