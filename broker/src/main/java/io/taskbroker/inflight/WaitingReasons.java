package io.taskbroker.inflight;

import io.taskbroker.activation.Ids;
import io.taskbroker.activation.Origin;
import io.taskbroker.inflight.api.Pauses;
import io.taskbroker.inflight.api.WaitingReason;
import io.taskbroker.inflight.api.WaitingReason.Kind;
import org.jspecify.annotations.Nullable;

/// Finds out why a task does not run now, from the state of the engine alone. Changes nothing.
final class WaitingReasons {
  private WaitingReasons() {}

  /// The reason of a task that is in memory or parked; null if the engine has no task of that id.
  static @Nullable WaitingReason of(EngineState state, String id) {
    InFlightTask task = state.tasks.get(id);
    if (task != null) {
      return of(state, task);
    }
    boolean parked = state.parked.size() > 0 && state.parked.has(Ids.fingerprint(id));
    return parked ? WaitingReason.of(Kind.PARKED, "") : null;
  }

  /// The reason of a task in memory.
  static WaitingReason of(EngineState state, InFlightTask task) {
    return switch (task.state()) {
      case INSERTING_DELAYED, INSERTING -> WaitingReason.of(Kind.INSERTING, "");
      case DELAYED ->
          task.releasing
              ? WaitingReason.of(Kind.PARTITION_RELEASED, "")
              : WaitingReason.until(Kind.DELAYED, task.activation.delayUntil());
      case CONFIRMING_OFFSET, CLAIMING, STARTING -> WaitingReason.of(Kind.STATUS_WRITE, "");
      case CLAIMED, PROCESSING ->
          WaitingReason.until(Kind.WITH_WORKER, state.wallTime(task.deadline));
      case FORWARDING_FAILURE, FORWARDING_RETRY, PRODUCING_FAILURE, PRODUCING_RETRY ->
          WaitingReason.of(Kind.FORWARDING, topic(task));
      case QUARANTINED_FAILURE, QUARANTINED_RETRY ->
          WaitingReason.of(Kind.QUARANTINED, topic(task));
      case FAILED, RETRYABLE, COMPLETED, DELETING, GONE -> WaitingReason.of(Kind.ENDED, "");
      case PENDING -> pending(state, task);
    };
  }

  private static WaitingReason pending(EngineState state, InFlightTask task) {
    Origin origin = task.activation.origin();
    String partition = origin.topic() + "/" + origin.partition();
    if (!task.equals(state.tasks.get(task.id()))) {
      return WaitingReason.of(Kind.SAME_ID, "");
    }
    DeliveryGate gate = state.gate;
    Kind reason = gate.queueing(task);
    if (reason != null) {
      return WaitingReason.of(
          reason, reason == Kind.OFFSET_COMMIT ? partition + "@" + origin.offset() : partition);
    }
    if (state.held.contains(task)) {
      return WaitingReason.of(
          Kind.PAUSED,
          state.pauses.find(task.activation).map(Pauses.Pause::toString).orElse("").strip());
    }
    reason = gate.broker();
    if (reason != null) {
      return WaitingReason.of(reason, "");
    }
    if (task.readyQueue == null) {
      return WaitingReason.until(Kind.POSTPONED, state.wallTime(task.wakeAt));
    }
    reason = gate.application(task.queue);
    if (reason != null) {
      return ofApplication(state, task.queue, reason);
    }
    reason = gate.store();
    return reason == null
        ? WaitingReason.of(
            Kind.QUEUED,
            Integer.toString(task.queue.ready.position(task, WaitingReason.MAX_POSITION)))
        : WaitingReason.of(reason, "");
  }

  private static WaitingReason ofApplication(
      EngineState state, ApplicationQueue queue, Kind reason) {
    PushChannel push = queue.push;
    if (push == null) {
      return WaitingReason.of(reason, queue.application);
    }
    return switch (reason) {
      case WORKER_PAUSED -> WaitingReason.until(reason, state.wallTime(queue.pauseEnds(state.now)));
      case SUSPECT_RUNS_ALONE -> {
        InFlightTask suspect = push.suspect();
        yield WaitingReason.of(reason, suspect == null ? "" : suspect.id());
      }
      case CALL_WINDOW_FULL -> WaitingReason.of(reason, Integer.toString(push.calls()));
      default -> WaitingReason.of(reason, queue.application);
    };
  }

  private static String topic(InFlightTask task) {
    return task.destination == null ? "" : task.destination.topic();
  }
}
