package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.FinishedTask;
import io.taskbroker.activation.FinishedTask.Outcome;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.activation.TaskHistory.Step;
import io.taskbroker.activation.TaskIdentity;
import io.taskbroker.inflight.api.EventPort;
import io.taskbroker.inflight.api.TaskEnd;
import org.jspecify.annotations.Nullable;

/// Recorder of the steps of tasks: of all if finished tasks are kept, otherwise of those whose
/// clients asked for their results. A task without a record costs one test for null at each step.
/// Not thread-safe.
final class TaskRecorder {
  private final EventPort events;
  private final boolean audits;
  private final long retention;

  /// The last detail of a delivery, and what it says.
  private String deliveredDetail = "";

  private int deliveredNumber;
  private String deliveredTo = "";

  /// @param retention how long the records of all tasks are kept, milliseconds; 0 for those that
  ///   were asked for only
  TaskRecorder(EventPort events, long retention) {
    this.events = events;
    this.audits = events.audits();
    this.retention = retention;
  }

  /// Begins the record of a task that enters memory, unless it has one.
  void begin(InFlightTask task, long wall) {
    if (task.record != null) {
      return; // a further attempt
    }
    boolean asked = task.activation.origin().keepsResult();
    if (retention > 0 || asked) {
      task.record = new TaskRecord(wall, asked);
    }
    if (task.record != null || audits) {
      step(task, isNew(task) ? Step.RECEIVED : Step.LOADED, wall, "");
    }
  }

  private static boolean isNew(InFlightTask task) {
    return switch (task.state()) {
      case INSERTING, INSERTING_DELAYED, FORWARDING_FAILURE -> true;
      default -> false;
    };
  }

  /// Records a step of the task.
  void step(InFlightTask task, Step step, long wall, String detail) {
    TaskRecord record = task.record;
    if (record != null) {
      record.history.add(step, wall, detail);
    }
    if (audits) {
      events.step(step, task.activation, wall, detail);
    }
  }

  /// Records a transition, as far as it is a step of its own.
  void moved(InFlightTask task, TaskState before, TaskEvent event, long wall) {
    if (task.record == null && !audits) {
      return;
    }
    switch (event) {
      case INSERTED -> step(task, Step.STORED, wall, "");
      case DELAY_ENDED -> step(task, Step.DELAY_ENDED, wall, "");
      case START -> {
        if (before == TaskState.CLAIMED) {
          step(task, Step.ACCEPTED, wall, "");
        }
      }
      case REQUEUE -> step(task, Step.REQUEUED, wall, "");
      case REFUSED -> step(task, Step.QUARANTINED, wall, "");
      case INSERT_REJECTED,
          CONFIRM_OFFSET,
          WRITE_CLAIM,
          WRITE_START,
          STATUS_WRITTEN,
          CLAIM,
          FORWARD_FAILURE,
          FORWARD_RETRY,
          PRODUCE,
          COMPLETE,
          DELETED,
          EVICT -> {}
    }
  }

  /// Records a delivery.
  ///
  /// @param worker its name; may be empty
  void delivered(InFlightTask task, String worker, long wall) {
    TaskRecord record = task.record;
    if (record != null) {
      record.deliveries++;
      record.worker = worker;
      record.message = "";
      if (record.deliveredAt == Row.NONE) {
        record.deliveredAt = wall;
      }
    }
    if (record != null || audits) {
      int number = record == null ? task.deliveries : record.deliveries;
      step(task, Step.DELIVERED, wall, detail(number, worker));
    }
  }

  /// Most tasks are delivered once, and to few workers.
  private String detail(int number, String worker) {
    if (number != deliveredNumber || !worker.equals(deliveredTo)) {
      deliveredNumber = number;
      deliveredTo = worker;
      deliveredDetail = worker.isEmpty() ? "" + number : number + " " + worker;
    }
    return deliveredDetail;
  }

  /// Records the report of a worker.
  void reported(InFlightTask task, Status status, long wall) {
    if (task.record != null || audits) {
      step(task, Step.REPORTED, wall, status.storedName());
    }
  }

  /// Keeps the result of a task, if its client asked for it.
  void result(InFlightTask task, byte[] result) {
    TaskRecord record = task.record;
    if (record != null && record.asked && result.length > 0) {
      record.result = result;
    }
  }

  /// Notes what a worker says about a failed attempt; may be empty.
  void failure(InFlightTask task, String message) {
    TaskRecord record = task.record;
    if (record != null) {
      record.message = message;
    }
  }

  /// Notes why a task failed for good, unless its worker said why.
  void failed(InFlightTask task, String why) {
    TaskRecord record = task.record;
    if (record != null && record.message.isEmpty()) {
      record.message = why;
    }
  }

  /// Ends the record of a task whose row will be deleted; null if it has none.
  ///
  /// @param tombstoneUntil end of the tombstone of its id; [Row#NONE] if there is none
  @Nullable FinishedTask end(InFlightTask task, long tombstoneUntil, long wall) {
    TaskRecord record = task.record;
    if (record == null && !audits) {
      return null;
    }
    Outcome outcome = outcome(task);
    step(task, Step.ENDED, wall, outcome.text());
    if (record == null || (retention == 0 && tombstoneUntil == Row.NONE)) {
      return null;
    }
    Activation about = task.activation;
    return new FinishedTask(
        about.id(),
        firstId(about),
        about.application(),
        about.namespace(),
        about.taskname(),
        about.origin(),
        outcome,
        about.receivedAt(),
        record.deliveredAt,
        wall,
        Math.max(wall + retention, record.asked ? tombstoneUntil : Row.NONE),
        record.deliveries,
        record.worker,
        outcome == Outcome.COMPLETED ? "" : record.message,
        outcome == Outcome.COMPLETED ? record.result : null,
        record.history.encoded(),
        record.asked);
  }

  private static Outcome outcome(InFlightTask task) {
    return switch (task.end) {
      case COMPLETED -> Outcome.COMPLETED;
      case CANCELLED -> Outcome.CANCELLED;
      case EXPIRED -> Outcome.EXPIRED;
      case FAILED, UNKNOWN ->
          switch (task.step()) {
            case PRODUCING -> produced(task);
            case QUARANTINED -> Outcome.DISCARDED;
            default -> task.end == TaskEnd.FAILED ? Outcome.FAILED : Outcome.DISCARDED;
          };
    };
  }

  private static Outcome produced(InFlightTask task) {
    if (task.status() == Status.RETRY) {
      return Outcome.RETRIED;
    }
    var destination = task.destination;
    boolean demoted = destination != null && !destination.cluster().isEmpty();
    return demoted ? Outcome.DEMOTED : Outcome.DEAD_LETTERED;
  }

  /// Only a retry that went through Kafka has another id than its first attempt.
  private static String firstId(Activation activation) {
    if (!activation.derived() || activation.origin().partition() < 0) {
      return "";
    }
    String first = TaskIdentity.of(activation).firstId();
    return first.equals(activation.id()) ? "" : first;
  }
}
