package io.taskbroker.inflight;

import io.taskbroker.inflight.api.WaitingReason;
import io.taskbroker.inflight.api.WaitingReason.Kind;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Decision whether tasks are held back, for the dispatcher before each delivery and for
/// [WaitingReason]. A new limit is a case in one of these methods. Not thread-safe.
final class DeliveryGate {
  private final EngineState state;

  DeliveryGate(EngineState state) {
    this.state = state;
  }

  /// Reason that holds back all tasks of the broker; null if there is none.
  @Nullable Kind broker() {
    return state.mayDeliver() ? null : Kind.BROKER_NOT_DELIVERING;
  }

  /// Reason that holds back all tasks that the broker sends by itself; null if there is none. A
  /// worker's request is accepted only while there is room, and is then answered (H14).
  @Nullable Kind store() {
    return state.hasRoom() ? null : Kind.STORE_BEHIND;
  }

  /// Reason that holds back the tasks of an application; null if there is none.
  @Nullable Kind application(ApplicationQueue queue) {
    List<DeliveryChannel> channels = queue.channels();
    if (channels.isEmpty()) {
      return state.options.pushes() ? Kind.NO_WORKER : null; // otherwise its workers poll
    }
    Kind first = null;
    for (DeliveryChannel channel : channels) {
      Kind reason = channel.closedBy(state.now);
      if (reason == null) {
        return null;
      }
      first = first == null ? reason : first;
    }
    return first;
  }

  /// Whether a channel may get a task now.
  boolean isOpen(DeliveryChannel channel) {
    return broker() == null && channel.credits(state.now) > 0;
  }

  /// Reason that holds back one task at the head of its queue or claimed; null if there is none.
  @Nullable Kind task(InFlightTask task) {
    if (task.releasing) {
      return Kind.PARTITION_RELEASED;
    }
    if (task.demotion != null) {
      return Kind.FORWARDING;
    }
    if (state.pauses.hold(task.activation)) {
      return Kind.PAUSED;
    }
    return state.isEarly(task.activation) ? Kind.DELAYED : null;
  }

  /// Reason that keeps a pending task out of its queue; null if there is none.
  @Nullable Kind queueing(InFlightTask task) {
    if (task.releasing) {
      return Kind.PARTITION_RELEASED;
    }
    if (state.awaitsOffsetCommit(task)) {
      return task.suspended ? Kind.PARTITION_NOT_ASSIGNED : Kind.OFFSET_COMMIT;
    }
    return null;
  }
}
