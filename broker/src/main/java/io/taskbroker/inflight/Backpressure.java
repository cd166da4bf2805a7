package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.inflight.api.EngineOptions;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Limits on what the engine accepts (G7, H13). The records of an application at its limit wait in
/// Kafka; they are parked instead where another application would wait behind them (docs/adr/0015).
/// Not thread-safe.
final class Backpressure {
  /// How long another application counts as a neighbour that may be blocked.
  private static final long NEIGHBOUR_MS = 60_000;

  private static final long HELD_BACK_MS = 250;

  /// Tasks that may be forwarding; at this number nothing is accepted (G7).
  static final int MAX_FORWARDING = 20_000;

  private final EngineState state;

  /// The two applications with the latest arrivals.
  private @Nullable ApplicationQueue newest;

  private @Nullable ApplicationQueue newestButOne;

  /// Offsets of records of other applications that wait in Kafka behind those that the engine has,
  /// by partition, as the reader reported them.
  private final Map<SourcePartition, Long> neighbours = new HashMap<>();

  Backpressure(EngineState state) {
    this.state = state;
  }

  /// Records an arrival for an application.
  void arrived(ApplicationQueue queue) {
    queue.arrivedAt = state.now;
    if (queue != newest) {
      newestButOne = newest;
      newest = queue;
    }
  }

  /// Whether nothing may be accepted, whatever it is.
  boolean isFull() {
    return state.forwarding >= MAX_FORWARDING || isStoreFull();
  }

  /// Whether runnable records of that priority of an application must wait in Kafka or be parked.
  /// They go before parked rows of lower priorities, but leave memory for a page of those.
  boolean isFull(ApplicationQueue queue, int priority) {
    return fullReason(queue, priority) != null;
  }

  private @Nullable EngineEvent fullReason(ApplicationQueue queue, int priority) {
    EngineOptions.Limits limits = state.options.limits();
    if (queue.handedOut >= limits.maxHandedOut()) {
      return EngineEvent.HELD_BY_PROCESSING;
    }
    int room = limits.maxPending() - queue.pending;
    if (room <= 0
        || queue.backlog.holdsDue(priority, state.wall)
        || (room <= Math.clamp(limits.maxPending() / 8, 1, ParkedBacklog.PAGE)
            && queue.backlog.holdsDueBelow(priority, state.wall))) {
      return EngineEvent.HELD_BY_PENDING;
    }
    return state.memory.hasRoom(queue) ? null : EngineEvent.HELD_BY_MEMORY;
  }

  private boolean isStoreFull() {
    long max = state.options.limits().maxStoreBytes();
    return max > 0 && state.storeBytes >= max;
  }

  /// Whether another application waits behind this full one, or may do so soon: then the surplus is
  /// parked (H13).
  boolean blocksNeighbours(InFlightPartition partition, ApplicationQueue full) {
    ApplicationQueue other = full == newest ? newestButOne : newest;
    return (other != null && state.now - other.arrivedAt < NEIGHBOUR_MS)
        || partition.hasOtherThan(full.application)
        || hasNeighbour(partition.source.topic());
  }

  private boolean hasNeighbour(String topic) {
    return !neighbours.isEmpty()
        && neighbours.keySet().stream().anyMatch(each -> each.topic().equals(topic));
  }

  /// Records that a record of another application waits in Kafka.
  void addNeighbour(SourcePartition partition, long offset) {
    neighbours.put(partition, offset);
  }

  /// Records that the partition was read up to an offset.
  void readUpTo(SourcePartition partition, long nextOffset) {
    Long offset = neighbours.get(partition);
    if (offset != null && offset < nextOffset) {
      neighbours.remove(partition);
    }
  }

  /// Forgets a partition that is no longer read.
  void forget(SourcePartition partition) {
    neighbours.remove(partition);
  }

  /// Whether one more row may be parked: memory keeps its id, and a queue of its application.
  boolean mayPark() {
    int parked = state.parked.size();
    return parked < state.options.limits().maxParked()
        && state.memory.hasRoomToPark(parked, state.queues.size());
  }

  /// The application of a refused record if only its own limit makes the record wait, so that it
  /// would be parked if others waited behind it; null otherwise.
  @Nullable String blockedApplication(Command.IngestedRecord refused) {
    if (refused.undecodable() != null || isFull() || !mayPark()) {
      return null;
    }
    ApplicationQueue queue = state.queueOf(refused.activation().application());
    return isFull(queue, refused.activation().priority()) ? queue.application : null;
  }

  /// Counts that a partition is held back, as often as the reference does.
  void deferred(InFlightPartition partition, Activation activation) {
    if (state.now >= partition.deferredUntil) {
      EngineEvent why = deferralReason(activation);
      if (why != null) {
        partition.deferredUntil = state.now + HELD_BACK_MS;
        state.event(why, activation, "");
      }
    }
  }

  /// The first limit that applies, in the order of the reference (reference-spec 9.4); null if the
  /// record waits for a commit, or for the end of another task of its id.
  private @Nullable EngineEvent deferralReason(Activation activation) {
    EngineEvent full = fullReason(state.queueOf(activation.application()), activation.priority());
    if (full != EngineEvent.HELD_BY_PROCESSING && isStoreFull()) {
      return EngineEvent.HELD_BY_STORE;
    }
    boolean waitsForForwarding = full == null || full == EngineEvent.HELD_BY_MEMORY;
    return waitsForForwarding && state.forwarding >= MAX_FORWARDING
        ? EngineEvent.HELD_BY_FORWARDING
        : full;
  }
}
