package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import org.jspecify.annotations.Nullable;

/// Whether there is room for what arrives, and who is to wait if there is not (G7, H13). Not
/// thread-safe.
final class Backpressure {
  /// An application whose workers took nothing for this long holds up nobody else (H13).
  private static final long STALLED_MS = 1_000;

  /// For how long another application is remembered as one that may be held up.
  private static final long NEIGHBOUR_MS = 60_000;

  private static final long HELD_BACK_MS = 250;

  /// So many may wait for Kafka to take them; past that nothing is taken in (G7).
  static final int MAX_LEAVING = 20_000;

  private final EngineState state;

  /// The two applications of which something arrived last.
  private @Nullable ApplicationQueue newest;

  private @Nullable ApplicationQueue newestButOne;

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

  /// Whether others may wait behind this full application: then its surplus goes to disk (H13).
  boolean blocksNeighbours(ApplicationQueue full) {
    if (state.now - full.progressAt >= STALLED_MS) {
      return true;
    }
    ApplicationQueue other = full == newest ? newestButOne : newest;
    return other != null && state.now - other.arrivedAt < NEIGHBOUR_MS;
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
