package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Destination;
import io.taskbroker.inflight.TaskState.Step;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.inflight.api.EventPort;
import io.taskbroker.inflight.api.TaskEnd;
import io.taskbroker.inflight.api.TaskSpan;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Reports the steps of tasks to [EventPort#span] when they end, with their times. It exists only
/// while tasks are traced. It remembers open steps: a delivery, a report or a forward, never a task
/// that waits. Not thread-safe.
final class TaskSpans {
  private static final int MAX_DETAIL = 256;

  private final EngineState state;
  private final EventPort events;
  private final Map<InFlightTask, Open> open = new HashMap<>();

  /// Task whose delivery is about to end, and why.
  private @Nullable InFlightTask ending;

  private String cause = "";
  private String detail = "";

  TaskSpans(EngineState state, EventPort events) {
    this.state = state;
    this.events = events;
  }

  /// Steps of one task that have begun, milliseconds since the epoch; 0 for none.
  private static final class Open {
    private long deliveredAt;
    private int delivery;
    private String worker = "";
    private long reportedAt;
    private String report = "";
    private long sentAt;

    private boolean isEmpty() {
      return deliveredAt == 0 && reportedAt == 0 && sentAt == 0;
    }
  }

  private Open open(InFlightTask task) {
    return open.computeIfAbsent(task, _ -> new Open());
  }

  /// A delivery begins.
  ///
  /// @param worker may be empty
  void delivered(InFlightTask task, String worker) {
    Open steps = open(task);
    steps.deliveredAt = state.wall;
    steps.delivery = task.deliveries;
    steps.worker = worker;
  }

  /// A called worker took the task.
  void taken(InFlightTask task, String worker) {
    Open steps = open.get(task);
    if (steps != null && steps.deliveredAt != 0) {
      steps.worker = worker;
    }
  }

  /// A worker reported on the task; its delivery ends by that, unless it has ended.
  void reported(InFlightTask task, String outcome, String why) {
    Open steps = open(task);
    steps.reportedAt = state.wall;
    steps.report = outcome;
    because(task, outcome, why);
  }

  /// Sets why the delivery of a task is about to end.
  void because(InFlightTask task, String why, String text) {
    ending = task;
    cause = why;
    detail = text.substring(0, Math.min(text.length(), MAX_DETAIL));
  }

  /// The task is replaced by its next attempt, which has the same row; called before its state
  /// changes.
  void replaced(InFlightTask task, InFlightTask attempt) {
    Open steps = open.get(task);
    if (steps != null && steps.reportedAt != 0) {
      Open next = open(attempt);
      next.reportedAt = steps.reportedAt;
      next.report = steps.report;
      steps.reportedAt = 0;
    }
    ended(task, "retried", false);
  }

  /// A record was dropped on arrival.
  void dropped(EngineEvent event, Activation activation, String why) {
    switch (event) {
      case KILLED_BY_NAME, KILLED_BY_SELECTOR, DUPLICATE, EXPIRED_ON_ARRIVAL ->
          events.span(
              new TaskSpan(
                  TaskSpan.Step.STORE,
                  activation,
                  0,
                  state.wall,
                  state.wall,
                  0,
                  "",
                  name(event),
                  false,
                  why));
      default -> {}
    }
  }

  /// The state of a task changed.
  void moved(InFlightTask task, TaskState before, TaskEvent event) {
    if (isDelivered(before) && !isDelivered(task.state())) {
      deliveryEnded(task, event);
    }
    switch (event) {
      case INSERTED -> {
        if (task.attempt != InFlightTask.RETRIED) {
          report(task, TaskSpan.Step.STORE, task.storedAt, "", "stored", false, "");
        }
        reportSettled(task);
      }
      case PRODUCE -> {
        reportSettled(task);
        open(task).sentAt = state.wall;
      }
      case REFUSED -> forwarded(task, before, true);
      case COMPLETE -> {
        if (before.step == Step.PRODUCING) {
          forwarded(task, before, false);
        }
      }
      case DELETED -> {
        reportSettled(task);
        TaskEnd end = task.end;
        ended(task, outcome(task), end == TaskEnd.FAILED || end == TaskEnd.EXPIRED);
      }
      default -> {}
    }
    if (ending == task) {
      ending = null;
    }
    forget(task);
  }

  private static boolean isDelivered(TaskState state) {
    return state == TaskState.CLAIMED || state == TaskState.PROCESSING;
  }

  private void deliveryEnded(InFlightTask task, TaskEvent event) {
    Open steps = open.get(task);
    boolean known = ending == task;
    if (steps != null && steps.deliveredAt != 0) {
      String outcome = known ? cause : event == TaskEvent.EVICT ? "moved" : name(event);
      events.span(
          new TaskSpan(
              TaskSpan.Step.DELIVERY,
              task.activation,
              task.storedAt,
              steps.deliveredAt,
              state.wall,
              steps.delivery,
              steps.worker,
              outcome,
              !isHarmless(outcome),
              known ? detail : ""));
      steps.deliveredAt = 0;
    }
  }

  /// Whether the end of a delivery says nothing bad of the task or its worker.
  private static boolean isHarmless(String outcome) {
    return switch (outcome) {
      case "complete", "released", "moved", "busy", "operator" -> true;
      default -> false;
    };
  }

  private void reportSettled(InFlightTask task) {
    Open steps = open.get(task);
    if (steps != null && steps.reportedAt != 0) {
      report(task, TaskSpan.Step.REPORT, steps.reportedAt, "", steps.report, false, "");
      steps.reportedAt = 0;
    }
  }

  private void forwarded(InFlightTask task, TaskState before, boolean refused) {
    Open steps = open.get(task);
    Destination destination = task.destination;
    if (steps == null || steps.sentAt == 0 || destination == null) {
      return;
    }
    String outcome =
        refused ? "refused" : before == TaskState.PRODUCING_RETRY ? "retried" : "forwarded";
    report(task, TaskSpan.Step.FORWARD, steps.sentAt, destination.topic(), outcome, refused, "");
    steps.sentAt = 0;
  }

  private static String outcome(InFlightTask task) {
    Destination destination = task.destination;
    return switch (task.end) {
      case COMPLETED -> "completed";
      case FAILED -> destination == null ? "discarded" : "dead_lettered";
      case CANCELLED -> "cancelled";
      case EXPIRED -> "expired";
      case UNKNOWN ->
          destination == null ? "removed" : destination.cluster().isEmpty() ? "retried" : "demoted";
    };
  }

  private void ended(InFlightTask task, String outcome, boolean failed) {
    report(task, TaskSpan.Step.IN_FLIGHT, task.storedAt, "", outcome, failed, "");
  }

  private void report(
      InFlightTask task,
      TaskSpan.Step step,
      long from,
      String target,
      String outcome,
      boolean failed,
      String why) {
    events.span(
        new TaskSpan(
            step,
            task.activation,
            task.storedAt,
            from,
            state.wall,
            0,
            target,
            outcome,
            failed,
            why));
  }

  /// Forgets the steps of a task that is gone, or has none.
  private void forget(InFlightTask task) {
    Open steps = open.get(task);
    if (steps != null && (task.state() == TaskState.GONE || steps.isEmpty())) {
      open.remove(task);
    }
  }

  private static String name(Enum<?> event) {
    return event.name().toLowerCase(Locale.ROOT);
  }
}
