package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.SourcePartition;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Whether there is room for what arrives, and who is to wait if there is not (G7, H13): an
/// application at its limit waits in Kafka, or on disk where another one would wait behind it
/// (docs/adr/0015). Not thread-safe.
final class Backpressure {
  /// For how long another application is remembered as one that may be held up.
  private static final long NEIGHBOUR_MS = 60_000;

  private static final long HELD_BACK_MS = 250;

  /// So many may wait for Kafka to take them; past that nothing is taken in (G7).
  static final int MAX_LEAVING = 20_000;

  private final EngineState state;

  /// The two applications of which something arrived last.
  private @Nullable ApplicationQueue newest;

  private @Nullable ApplicationQueue newestButOne;

  /// Records of other applications that wait in Kafka, by their partitions: the reader saw them
  /// behind those that the engine has.
  private final Map<SourcePartition, Long> foreseen = new HashMap<>();

  Backpressure(EngineState state) {
    this.state = state;
  }

  /// Takes note that something arrived of an application.
  void arrived(ApplicationQueue queue) {
    queue.arrivedAt = state.now;
    if (queue != newest) {
      newestButOne = newest;
      newest = queue;
    }
  }

  /// Whether nothing may be taken in, whatever it is.
  boolean isFull() {
    return state.forwarding >= MAX_LEAVING || isStoreFull();
  }

  /// Whether what could run of an application has to wait in Kafka, or on disk.
  boolean isFull(ApplicationQueue queue) {
    return fullReason(queue) != null;
  }

  private @Nullable Tally fullReason(ApplicationQueue queue) {
    EngineOptions.Limits limits = state.options.limits();
    if (queue.handedOut >= limits.maxHandedOut()) {
      return Tally.HELD_BY_PROCESSING;
    }
    if (queue.pending >= limits.maxPending() || queue.backlog.holdsDue(state.wall)) {
      return Tally.HELD_BY_PENDING;
    }
    return state.memory.hasRoom(queue) ? null : Tally.HELD_BY_MEMORY;
  }

  private boolean isStoreFull() {
    long max = state.options.limits().maxStoreBytes();
    return max > 0 && state.storeBytes >= max;
  }

  /// Whether another application waits behind this full one, or may soon: then the surplus goes to
  /// disk (H13).
  boolean blocksNeighbours(InFlightPartition intake, ApplicationQueue full) {
    ApplicationQueue other = full == newest ? newestButOne : newest;
    return (other != null && state.now - other.arrivedAt < NEIGHBOUR_MS)
        || intake.hasOtherThan(full.application)
        || hasForeseen(intake.partition.topic());
  }

  private boolean hasForeseen(String topic) {
    return !foreseen.isEmpty()
        && foreseen.keySet().stream().anyMatch(each -> each.topic().equals(topic));
  }

  /// A record of another application waits in Kafka.
  void foresaw(SourcePartition partition, long offset) {
    foreseen.put(partition, offset);
  }

  /// Everything below the offset of the partition came.
  void came(SourcePartition partition, long nextOffset) {
    Long offset = foreseen.get(partition);
    if (offset != null && offset < nextOffset) {
      foreseen.remove(partition);
    }
  }

  /// The partition is not read any more.
  void forget(SourcePartition partition) {
    foreseen.remove(partition);
  }

  /// Whether one more may be on disk only.
  boolean mayPark() {
    return state.parked.size() < state.options.limits().maxParked();
  }

  /// The application at its limit that a refused record is of, if it has to wait for that and would
  /// not if others waited behind it; null otherwise.
  @Nullable String standing(Command.IngestedRecord refused) {
    if (refused.undecodable() != null || isFull() || !mayPark()) {
      return null;
    }
    ApplicationQueue queue = state.queueOf(refused.activation().application());
    return isFull(queue) ? queue.application : null;
  }

  /// Counts that a partition is held back, as often as the reference does.
  void deferred(InFlightPartition intake, Activation activation) {
    if (state.now >= intake.deferredUntil) {
      Tally why = deferralReason(activation);
      if (why != null) {
        intake.deferredUntil = state.now + HELD_BACK_MS;
        state.tally(why, activation);
      }
    }
  }

  /// The first that holds of what the reference looks at, in its order (reference-spec 9.4). Null
  /// if it waits for a commit, or for the end of another of its id.
  private @Nullable Tally deferralReason(Activation activation) {
    Tally full = fullReason(state.queueOf(activation.application()));
    if (full != Tally.HELD_BY_PROCESSING && isStoreFull()) {
      return Tally.HELD_BY_STORE;
    }
    boolean waitsToLeave = full == null || full == Tally.HELD_BY_MEMORY;
    return waitsToLeave && state.forwarding >= MAX_LEAVING ? Tally.HELD_BY_FORWARDING : full;
  }
}
