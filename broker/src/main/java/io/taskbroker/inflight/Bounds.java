package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import org.jspecify.annotations.Nullable;

/// Whether there is room for what arrives, and who is to wait if there is not (G7, H13). Not
/// thread-safe.
final class Bounds {
  /// An application whose workers took nothing for this long holds up nobody else (H13).
  private static final long STALLED_MS = 1_000;

  /// For how long another application is remembered as one that may be held up.
  private static final long NEIGHBOUR_MS = 60_000;

  private static final long HELD_BACK_MS = 250;

  /// So many may wait for Kafka to take them; past that nothing is taken in (G7).
  static final int MAX_LEAVING = 20_000;

  private final Flight flight;

  /// The two applications of which something arrived last.
  private @Nullable Lane newest;

  private @Nullable Lane newestButOne;

  Bounds(Flight flight) {
    this.flight = flight;
  }

  /// Takes note that something arrived of an application.
  void arrived(Lane lane) {
    lane.arrivedAt = flight.now;
    if (lane != newest) {
      newestButOne = newest;
      newest = lane;
    }
  }

  /// Whether nothing may be taken in, whatever it is.
  boolean isFull() {
    return flight.leaving >= MAX_LEAVING || isStoreFull();
  }

  /// Whether what could run of an application has to wait in Kafka, or on disk.
  boolean isFull(Lane lane) {
    return whyFull(lane) != null;
  }

  private @Nullable Tally whyFull(Lane lane) {
    InflightOptions.Limits limits = flight.options.limits();
    if (lane.handedOut >= limits.maxHandedOut()) {
      return Tally.HELD_BY_PROCESSING;
    }
    if (lane.pending >= limits.maxPending() || lane.parking.holdsDue(flight.wall)) {
      return Tally.HELD_BY_PENDING;
    }
    return flight.memory.hasRoom(lane) ? null : Tally.HELD_BY_MEMORY;
  }

  private boolean isStoreFull() {
    long max = flight.options.limits().maxStoreBytes();
    return max > 0 && flight.storeBytes >= max;
  }

  /// Whether others may wait behind this full application: then its surplus goes to disk (H13).
  boolean holdsUpOthers(Lane full) {
    if (flight.now - full.progressAt >= STALLED_MS) {
      return true;
    }
    Lane other = full == newest ? newestButOne : newest;
    return other != null && flight.now - other.arrivedAt < NEIGHBOUR_MS;
  }

  /// Counts that a partition is held back, as often as the reference does.
  void heldBack(PartitionIntake intake, Activation activation) {
    if (flight.now >= intake.heldBackAgainAt) {
      Tally why = whyHeldBack(activation);
      if (why != null) {
        intake.heldBackAgainAt = flight.now + HELD_BACK_MS;
        flight.tally(why, activation);
      }
    }
  }

  /// The first that holds of what the reference looks at, in its order (reference-spec 9.4). Null
  /// if it waits for a commit, or for the end of another of its id.
  private @Nullable Tally whyHeldBack(Activation activation) {
    Tally full = whyFull(flight.lane(activation.application()));
    if (full != Tally.HELD_BY_PROCESSING && isStoreFull()) {
      return Tally.HELD_BY_STORE;
    }
    boolean waitsToLeave = full == null || full == Tally.HELD_BY_MEMORY;
    return waitsToLeave && flight.leaving >= MAX_LEAVING ? Tally.HELD_BY_LEAVING : full;
  }
}
