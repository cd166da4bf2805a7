package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.SourcePartition;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Whether there is room for what arrives, and who is to wait if there is not (G7, H13): an
/// application at its limit waits in Kafka, or on disk where another one would wait behind it
/// (docs/adr/0015). Not thread-safe.
final class Bounds {
  /// For how long another application is remembered as one that may be held up.
  private static final long NEIGHBOUR_MS = 60_000;

  private static final long HELD_BACK_MS = 250;

  /// So many may wait for Kafka to take them; past that nothing is taken in (G7).
  static final int MAX_LEAVING = 20_000;

  private final Flight flight;

  /// The two applications of which something arrived last.
  private @Nullable Lane newest;

  private @Nullable Lane newestButOne;

  /// Records of other applications that wait in Kafka, by their partitions: the reader saw them
  /// behind those that the engine has.
  private final Map<SourcePartition, Long> foreseen = new HashMap<>();

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

  /// Whether another application waits behind this full one, or may soon: then the surplus goes to
  /// disk (H13).
  boolean holdsUpOthers(PartitionIntake intake, Lane full) {
    Lane other = full == newest ? newestButOne : newest;
    return (other != null && flight.now - other.arrivedAt < NEIGHBOUR_MS)
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
    return flight.parked.size() < flight.options.limits().maxParked();
  }

  /// The application at its limit that a refused record is of, if it has to wait for that and would
  /// not if others waited behind it; null otherwise.
  @Nullable String standing(Command.Arrival refused) {
    if (refused.undecodable() != null || isFull() || !mayPark()) {
      return null;
    }
    Lane lane = flight.lane(refused.activation().application());
    return isFull(lane) ? lane.application : null;
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
