package io.taskbroker.inflight;

import io.taskbroker.activation.Status;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// State of a task in flight: the status of its row, and the pending step with the store or the
/// outbox. [TaskTransitions] is the transition table; `docs/task-states.md` shows it.
enum TaskState {
  INSERTING_DELAYED(Status.DELAY, Step.INSERTING),
  INSERTING(Status.PENDING, Step.INSERTING),
  DELAYED(Status.DELAY, Step.STORED),
  PENDING(Status.PENDING, Step.STORED),
  /// At most once: the offset of its record is committed; the confirmation is being written.
  CONFIRMING_OFFSET(Status.PENDING, Step.WRITING_STATUS),
  /// At most once: a worker is called once the claim is durable.
  CLAIMING(Status.CLAIMED, Step.WRITING_STATUS),
  /// At most once: the worker that polls receives it once that is durable.
  STARTING(Status.PROCESSING, Step.WRITING_STATUS),
  CLAIMED(Status.CLAIMED, Step.STORED),
  PROCESSING(Status.PROCESSING, Step.STORED),
  /// Found in the store with this status; the next step is not decided yet.
  FAILED(Status.FAILURE, Step.STORED),
  RETRYABLE(Status.RETRY, Step.STORED),
  COMPLETED(Status.COMPLETE, Step.STORED),
  FORWARDING_FAILURE(Status.FAILURE, Step.FORWARDING),
  FORWARDING_RETRY(Status.RETRY, Step.FORWARDING),
  PRODUCING_FAILURE(Status.FAILURE, Step.PRODUCING),
  PRODUCING_RETRY(Status.RETRY, Step.PRODUCING),
  QUARANTINED_FAILURE(Status.FAILURE, Step.QUARANTINED),
  QUARANTINED_RETRY(Status.RETRY, Step.QUARANTINED),
  DELETING(Status.COMPLETE, Step.DELETING),
  GONE(Status.COMPLETE, Step.GONE);

  /// Pending step with the store or the outbox.
  enum Step {
    /// The insert is not durable yet.
    INSERTING,
    /// Memory and disk agree, except for status updates that are written lazily.
    STORED,
    /// The task waits until a status update is durable (G3).
    WRITING_STATUS,
    /// The forward is decided and not durable yet.
    FORWARDING,
    /// The outbox has the record: the task can only be produced (H7).
    PRODUCING,
    /// Kafka refused the record; it is produced again now and then (H19).
    QUARANTINED,
    /// The delete is not durable yet.
    DELETING,
    /// The task is not in memory any more; remaining references to it are ignored.
    GONE
  }

  private static final List<TaskState> ALL = List.of(values());

  final Status status;
  final Step step;

  TaskState(Status status, Step step) {
    this.status = status;
    this.step = step;
  }

  /// The state of a task whose row was found in the store.
  static TaskState restored(Status status) {
    return of(status, Step.STORED);
  }

  /// The state of a status and step.
  ///
  /// @throws IllegalArgumentException if no task can be in both
  static TaskState of(Status status, Step step) {
    for (int i = 0; i < ALL.size(); i++) { // allocates neither an array nor an iterator
      TaskState state = ALL.get(i);
      if (state.status == status && state.step == step) {
        return state;
      }
    }
    throw new IllegalArgumentException("No state has status " + status + " and step " + step);
  }

  /// The state that follows an event; null if the event cannot happen in this state.
  @Nullable TaskState after(TaskEvent event) {
    return TaskTransitions.of(this).get(event);
  }

  boolean isForwarding() {
    return step == Step.FORWARDING || step == Step.PRODUCING || step == Step.QUARANTINED;
  }
}
