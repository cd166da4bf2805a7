package io.taskbroker.inflight;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.Quarantine.QuarantinedRecord;
import io.taskbroker.inflight.TaskState.Step;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.inflight.api.OperatorRequest.Act;
import io.taskbroker.inflight.api.OperatorRequest.Outcome;
import io.taskbroker.inflight.api.TaskEnd;
import io.taskbroker.inflight.api.TaskLifecycle;

/// Acts of operators on tasks in memory: which state allows which (docs/admin.md). Not thread-safe.
final class TaskActs {
  static final String BY_OPERATOR = "by an operator";

  private final EngineState state;
  private final TaskCompletion completion;
  private final Recovery recovery;
  private final StatusWriter statusWriter;

  TaskActs(
      EngineState state, TaskCompletion completion, Recovery recovery, StatusWriter statusWriter) {
    this.state = state;
    this.completion = completion;
    this.recovery = recovery;
    this.statusWriter = statusWriter;
  }

  Outcome act(InFlightTask task, Act act) {
    String refusal = task.releasing ? "it is moving to another broker" : refusal(task, act);
    if (!refusal.isEmpty()) {
      return new Outcome(task.id(), false, task.state() + ": " + refusal);
    }
    var outcome = new Outcome(task.id(), true, task.state().name());
    if (!act.dryRun()) {
      execute(task, act);
    }
    return outcome;
  }

  /// Why the state of the task forbids the act; empty if it allows it.
  private String refusal(InFlightTask task, Act act) {
    return switch (act.kind()) {
      case RUN_NOW, DELAY ->
          task.state() == TaskState.DELAYED ? "" : "only a delayed task has a delay to change";
      case PRIORITY ->
          switch (task.state()) {
            case DELAYED, PENDING, CLAIMED, PROCESSING -> "";
            case INSERTING_DELAYED, INSERTING, CONFIRMING_OFFSET, CLAIMING, STARTING ->
                "it is being stored; try again";
            default -> "it is ending";
          };
      case CANCEL ->
          switch (task.state()) {
            case DELAYED, PENDING -> "";
            case CLAIMING, STARTING, CLAIMED, PROCESSING ->
                "a worker has it or is about to; discard ignores the worker";
            case QUARANTINED_FAILURE, QUARANTINED_RETRY -> "Kafka refused it; use discard";
            case INSERTING_DELAYED, INSERTING, CONFIRMING_OFFSET -> "it is being stored; try again";
            default -> "it is ending";
          };
      case DISCARD ->
          switch (task.state()) {
            case DELAYED, PENDING, CLAIMED, PROCESSING, QUARANTINED_FAILURE, QUARANTINED_RETRY ->
                "";
            case INSERTING_DELAYED, INSERTING, CONFIRMING_OFFSET, CLAIMING, STARTING ->
                "it is being stored; try again";
            default -> "it is ending";
          };
      case RETRY ->
          switch (task.state()) {
            case PROCESSING ->
                task.activation.atMostOnce() ? "it may run at most once, and a worker has it" : "";
            case QUARANTINED_FAILURE, QUARANTINED_RETRY -> "";
            case CLAIMED, CLAIMING, STARTING -> "a worker is being called with it";
            default -> "no worker has it";
          };
    };
  }

  private void execute(InFlightTask task, Act act) {
    switch (act.kind()) {
      case RUN_NOW -> endDelay(task);
      case DELAY -> delay(task, act.until());
      case PRIORITY -> prioritize(task, act.priority());
      case CANCEL -> remove(task);
      case DISCARD -> {
        QuarantinedRecord record = state.quarantined.of(task);
        if (record == null) {
          remove(task);
        } else {
          discarded(task);
          completion.endQuarantine(task, task.status() == Status.FAILURE);
        }
      }
      case RETRY -> {
        QuarantinedRecord record = state.quarantined.of(task);
        if (record == null) {
          requeue(task);
        } else {
          boolean _ = state.quarantined.release(record);
        }
      }
    }
  }

  private void endDelay(InFlightTask task) {
    delay(task, state.wall);
    state.timers.cancel(task);
    state.event(EngineEvent.DELAY_ELAPSED, task, "");
    state.follow(TaskLifecycle.DELAY_ENDED, task.activation, BY_OPERATOR);
    state.transition(task, TaskEvent.DELAY_ENDED);
    if (task.step() == Step.STORED && !state.awaitsOffsetCommit(task)) {
      recovery.runnable(task);
    }
  }

  /// Durable before the answer, so that a restart waits as long (G5).
  private void delay(InFlightTask task, long until) {
    task.activation = task.activation.withDelayUntil(until);
    state.timers.set(task, state.monotonicTime(until));
    state.writeFor(
        task, new Change.ChangeDelay(task.key, task.id(), task.activation.origin(), until, task));
  }

  /// A worker that has it is not affected; should the task run again, its new priority counts.
  private void prioritize(InFlightTask task, int priority) {
    boolean queued = task.readyQueue != null;
    if (queued) {
      task.queue.ready.remove(task);
    }
    task.activation = task.activation.withPriority(priority);
    if (queued) {
      task.queue.ready.add(task, true);
    }
    state.writeFor(
        task,
        new Change.ChangePriority(
            task.key, task.id(), task.activation.origin(), priority, Row.NONE, task));
  }

  private void remove(InFlightTask task) {
    discarded(task);
    completion.complete(task);
  }

  private void discarded(InFlightTask task) {
    task.end = TaskEnd.CANCELLED;
    state.recorder.failed(task, BY_OPERATOR);
    state.event(EngineEvent.DISCARDED, task, BY_OPERATOR);
    state.because(task, "operator", "");
  }

  /// Takes the task from its worker, as a passed deadline does, without counting an attempt. What
  /// that worker reports still takes effect (G6).
  private void requeue(InFlightTask task) {
    state.detach(task);
    state.because(task, "operator", "");
    state.transition(task, TaskEvent.REQUEUE);
    task.deadlineExtended = false;
    statusWriter.revert(task);
    completion.makeReady(task, false);
  }
}
