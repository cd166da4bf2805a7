package io.taskbroker.inflight;

import io.taskbroker.activation.Ids;
import io.taskbroker.activation.Origin;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/// Reason why a task does not run now, from the state of the engine alone. Immutable.
///
/// @param until when it ends by itself, milliseconds since the epoch; empty if that depends on
///   something else
/// @param detail topic, partition, application or position, as [Kind] says; may be empty
public record WaitingReason(Kind kind, OptionalLong until, String detail) {
  /// Maximum of a position in a queue; larger ones are clamped to it.
  static final int MAX_POSITION = 10_000;

  /// Class of reason.
  public enum Kind {
    /// The insert is not durable yet.
    INSERTING,
    /// The delay has not ended.
    DELAYED,
    /// The row is on disk only, until it is due or there is room in memory.
    PARKED,
    /// At most once: the offset of its record is not committed. Detail: topic, partition, offset.
    OFFSET_COMMIT,
    /// At most once: the partition is not assigned to this broker. Detail: topic and partition.
    PARTITION_NOT_ASSIGNED,
    /// At most once: its status is being written before it is delivered.
    STATUS_WRITE,
    /// Its partition is being released to another broker.
    PARTITION_RELEASED,
    /// Another task of the same id must end first.
    SAME_ID,
    /// An earlier delivery was refused or had an uncertain outcome, or the task was found at
    /// startup: delivered again after a pause.
    POSTPONED,
    /// An operator paused it. Detail: the pause.
    PAUSED,
    /// The broker is stopping, or its lease on the store ended.
    BROKER_NOT_DELIVERING,
    /// No worker is configured for the application. Detail: the application.
    NO_WORKER,
    /// The worker is unreachable, overloaded or rejects calls.
    WORKER_PAUSED,
    /// A worker is called with one task alone, since workers died of it. Detail: the id of that
    /// task.
    SUSPECT_RUNS_ALONE,
    /// The call window is full. Detail: the number of calls in flight.
    CALL_WINDOW_FULL,
    /// The maximum number of changes waits for the store.
    STORE_BEHIND,
    /// Other tasks are before it. Detail: its position in the queue of its application and
    /// namespace.
    QUEUED,
    /// A worker has it.
    WITH_WORKER,
    /// It is being produced to another topic. Detail: the topic.
    FORWARDING,
    /// Kafka refused it; it is produced again now and then. Detail: the topic.
    QUARANTINED,
    /// It has ended; its row is being deleted.
    ENDED
  }

  /// The reason of a task that is in memory or parked; null if the engine has no task of that id.
  static @Nullable WaitingReason of(EngineState state, String id) {
    InFlightTask task = state.tasks.get(id);
    if (task != null) {
      return of(state, task);
    }
    boolean parked = state.parked.size() > 0 && state.parked.has(Ids.fingerprint(id));
    return parked ? of(Kind.PARKED, "") : null;
  }

  /// The reason of a task in memory.
  static WaitingReason of(EngineState state, InFlightTask task) {
    return switch (task.state()) {
      case INSERTING_DELAYED, INSERTING -> of(Kind.INSERTING, "");
      case DELAYED ->
          task.releasing
              ? of(Kind.PARTITION_RELEASED, "")
              : until(Kind.DELAYED, task.activation.delayUntil());
      case CONFIRMING_OFFSET, CLAIMING, STARTING -> of(Kind.STATUS_WRITE, "");
      case CLAIMED, PROCESSING -> until(Kind.WITH_WORKER, state.wallTime(task.deadline));
      case FORWARDING_FAILURE, FORWARDING_RETRY, PRODUCING_FAILURE, PRODUCING_RETRY ->
          of(Kind.FORWARDING, topic(task));
      case QUARANTINED_FAILURE, QUARANTINED_RETRY -> of(Kind.QUARANTINED, topic(task));
      case FAILED, RETRYABLE, COMPLETED, DELETING, GONE -> of(Kind.ENDED, "");
      case PENDING -> pending(state, task);
    };
  }

  private static WaitingReason pending(EngineState state, InFlightTask task) {
    Origin origin = task.activation.origin();
    String partition = origin.topic() + "/" + origin.partition();
    if (!task.equals(state.tasks.get(task.id()))) {
      return of(Kind.SAME_ID, "");
    }
    if (task.releasing) {
      return of(Kind.PARTITION_RELEASED, partition);
    }
    if (state.awaitsOffsetCommit(task)) {
      return task.suspended
          ? of(Kind.PARTITION_NOT_ASSIGNED, partition)
          : of(Kind.OFFSET_COMMIT, partition + "@" + origin.offset());
    }
    if (state.held.contains(task)) {
      return of(
          Kind.PAUSED,
          state.pauses.find(task.activation).map(Pauses.Pause::toString).orElse("").strip());
    }
    if (!state.mayDeliver()) {
      return of(Kind.BROKER_NOT_DELIVERING, "");
    }
    ReadyQueue queue = task.readyQueue;
    if (queue == null) {
      return until(Kind.POSTPONED, state.wallTime(task.wakeAt));
    }
    WaitingReason worker = state.options.pushes() ? worker(state, task.queue) : null;
    if (worker != null) {
      return worker;
    }
    return state.hasRoom()
        ? of(Kind.QUEUED, Integer.toString(queue.position(task, MAX_POSITION)))
        : of(Kind.STORE_BEHIND, "");
  }

  /// Reason why the workers of an application are not called; null if there is none.
  private static @Nullable WaitingReason worker(EngineState state, ApplicationQueue queue) {
    PushChannel push = queue.push;
    if (push == null) {
      return of(Kind.NO_WORKER, queue.application);
    }
    long pauseEnds = queue.pauseEnds(state.now);
    if (pauseEnds != Long.MAX_VALUE) {
      return until(Kind.WORKER_PAUSED, state.wallTime(pauseEnds));
    }
    InFlightTask suspect = push.suspect();
    if (suspect != null) {
      return of(Kind.SUSPECT_RUNS_ALONE, suspect.id());
    }
    return push.window.isFull(push.calls())
        ? of(Kind.CALL_WINDOW_FULL, Integer.toString(push.calls()))
        : null;
  }

  private static String topic(InFlightTask task) {
    return task.destination == null ? "" : task.destination.topic();
  }

  private static WaitingReason of(Kind kind, String detail) {
    return new WaitingReason(kind, OptionalLong.empty(), detail);
  }

  private static WaitingReason until(Kind kind, long wallTime) {
    return new WaitingReason(kind, OptionalLong.of(wallTime), "");
  }
}
