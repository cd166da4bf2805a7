package io.taskbroker.inflight;

import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/// Transition table of tasks in flight: (state, event) -> state. Immutable.
///
/// A pair that is not in the table cannot happen; a task that meets one is an error of the engine:
///
/// - Before its insert is durable a task is in no queue and has no timer and no worker: only the
///   end of its delay, a rule, or a report on an earlier task of the same id reaches it.
/// - While a status update is pending, a task is in no queue and has no timer. Reports of a Failure
///   or Retry are stale then: only a Complete, a rule or an eviction ends it.
/// - A forward is a final decision: reports other than Complete do not count (H7, H18).
/// - Nothing follows [TaskState#GONE].
final class TaskTransitions {
  private static final Set<TaskState> MAY_COMPLETE =
      EnumSet.complementOf(EnumSet.of(TaskState.DELETING, TaskState.GONE));

  private static final Map<TaskState, Map<TaskEvent, TaskState>> TABLE = table();

  private TaskTransitions() {}

  /// The events that can happen in a state, with what follows; a view.
  static Map<TaskEvent, TaskState> of(TaskState state) {
    return Objects.requireNonNull(TABLE.get(state));
  }

  private static Map<TaskState, Map<TaskEvent, TaskState>> table() {
    Map<TaskState, Map<TaskEvent, TaskState>> table = new EnumMap<>(TaskState.class);
    for (TaskState state : TaskState.values()) {
      table.put(state, new EnumMap<>(TaskEvent.class));
    }
    put(table, TaskState.INSERTING_DELAYED, TaskEvent.INSERTED, TaskState.DELAYED);
    put(table, TaskState.INSERTING, TaskEvent.INSERTED, TaskState.PENDING);
    put(table, TaskState.INSERTING_DELAYED, TaskEvent.INSERT_REJECTED, TaskState.GONE);
    put(table, TaskState.INSERTING, TaskEvent.INSERT_REJECTED, TaskState.GONE);
    put(table, TaskState.FORWARDING_FAILURE, TaskEvent.INSERT_REJECTED, TaskState.GONE);
    put(table, TaskState.DELAYED, TaskEvent.DELAY_ENDED, TaskState.PENDING);
    put(table, TaskState.PENDING, TaskEvent.CONFIRM_OFFSET, TaskState.CONFIRMING_OFFSET);
    put(table, TaskState.PENDING, TaskEvent.WRITE_CLAIM, TaskState.CLAIMING);
    put(table, TaskState.PENDING, TaskEvent.WRITE_START, TaskState.STARTING);
    put(table, TaskState.CONFIRMING_OFFSET, TaskEvent.STATUS_WRITTEN, TaskState.PENDING);
    put(table, TaskState.CLAIMING, TaskEvent.STATUS_WRITTEN, TaskState.CLAIMED);
    put(table, TaskState.STARTING, TaskEvent.STATUS_WRITTEN, TaskState.PROCESSING);
    put(table, TaskState.PENDING, TaskEvent.CLAIM, TaskState.CLAIMED);
    put(table, TaskState.PENDING, TaskEvent.START, TaskState.PROCESSING);
    put(table, TaskState.CLAIMED, TaskEvent.START, TaskState.PROCESSING);
    put(table, TaskState.CLAIMED, TaskEvent.REQUEUE, TaskState.PENDING);
    put(table, TaskState.PROCESSING, TaskEvent.REQUEUE, TaskState.PENDING);
    for (TaskState from :
        EnumSet.of(
            TaskState.DELAYED,
            TaskState.PENDING,
            TaskState.CLAIMED,
            TaskState.PROCESSING,
            TaskState.FAILED,
            TaskState.RETRYABLE)) {
      put(table, from, TaskEvent.FORWARD_FAILURE, TaskState.FORWARDING_FAILURE);
    }
    for (TaskState from :
        EnumSet.of(
            TaskState.DELAYED,
            TaskState.PENDING,
            TaskState.CLAIMED,
            TaskState.PROCESSING,
            TaskState.RETRYABLE)) {
      put(table, from, TaskEvent.FORWARD_RETRY, TaskState.FORWARDING_RETRY);
    }
    put(table, TaskState.FORWARDING_FAILURE, TaskEvent.PRODUCE, TaskState.PRODUCING_FAILURE);
    put(table, TaskState.FORWARDING_RETRY, TaskEvent.PRODUCE, TaskState.PRODUCING_RETRY);
    put(table, TaskState.PRODUCING_FAILURE, TaskEvent.REFUSED, TaskState.QUARANTINED_FAILURE);
    put(table, TaskState.PRODUCING_RETRY, TaskEvent.REFUSED, TaskState.QUARANTINED_RETRY);
    for (TaskState from : MAY_COMPLETE) {
      put(table, from, TaskEvent.COMPLETE, TaskState.DELETING);
    }
    put(table, TaskState.DELETING, TaskEvent.DELETED, TaskState.GONE);
    for (TaskState from : EnumSet.complementOf(EnumSet.of(TaskState.GONE))) {
      put(table, from, TaskEvent.EVICT, TaskState.GONE);
    }
    return table;
  }

  private static void put(
      Map<TaskState, Map<TaskEvent, TaskState>> table,
      TaskState from,
      TaskEvent event,
      TaskState next) {
    Objects.requireNonNull(table.get(from)).put(event, next);
  }
}
