package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Destination;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// Index of the entries that Kafka refused, and the schedule on which they are tried again (H19):
/// of each topic the smallest once a minute, and once that was taken the next at once, one entry at
/// a time. What is too large is refused while a smaller one is, so no more needs to be tried. Not
/// thread-safe.
final class Quarantine {
  static final long PERIOD_MS = 60_000;

  private final Map<InFlightTask, QuarantinedRecord> held = new HashMap<>();
  private final Map<String, Refusals> partitionKeys = new HashMap<>(); // by topic and cluster

  private @Nullable InFlightTask tried;
  private @Nullable Refusals triedAt;
  private long busyUntil = Long.MIN_VALUE;

  private record QuarantinedRecord(InFlightTask task, int size) {}

  /// Entries that one topic refused.
  private static final class Refusals {
    private final TreeSet<QuarantinedRecord> bySize =
        new TreeSet<>(
            Comparator.comparingInt(QuarantinedRecord::size)
                .thenComparingLong(of -> of.task().key));
    private long tryAt;
  }

  int size() {
    return held.size();
  }

  /// Takes in an entry that was refused, and has not been tried again or was refused once more.
  ///
  /// @param size bytes of what was to be produced
  void add(InFlightTask task, int size, long now) {
    Refusals refusals = partitionKeys.computeIfAbsent(place(task), _ -> new Refusals());
    if (refusals.bySize.isEmpty() || refusals.tryAt < now) {
      refusals.tryAt = now + PERIOD_MS;
    }
    QuarantinedRecord one = new QuarantinedRecord(task, size);
    held.put(task, one);
    refusals.bySize.add(one);
  }

  /// Forgets an entry, if it is here.
  void remove(InFlightTask task) {
    QuarantinedRecord one = held.remove(task);
    if (one == null) {
      return;
    }
    String partitionKey = place(task);
    Refusals refusals = partitionKeys.get(partitionKey);
    if (refusals != null) {
      refusals.bySize.remove(one);
      if (refusals.bySize.isEmpty()) {
        partitionKeys.remove(partitionKey);
      }
    }
  }

  /// When an entry is to be tried again; [Long#MAX_VALUE] if there is none.
  long next() {
    long next = Long.MAX_VALUE;
    for (Refusals refusals : partitionKeys.values()) {
      next = Math.min(next, refusals.tryAt);
    }
    return Math.max(next, busyUntil);
  }

  /// The entry to try now; null if it is time for none.
  @Nullable InFlightTask due(long now) {
    if (busyUntil > now) {
      return null;
    }
    for (Refusals refusals : partitionKeys.values()) {
      if (refusals.tryAt <= now) {
        refusals.tryAt = now + PERIOD_MS;
        triedAt = refusals;
        tried = null;
        busyUntil = now + PERIOD_MS;
        return refusals.bySize.getFirst().task();
      }
    }
    return null;
  }

  /// The entry is on its way to Kafka again.
  void trying(InFlightTask task) {
    tried = task;
  }

  boolean isTried(InFlightTask task) {
    return task.equals(tried);
  }

  /// Nothing is being tried any more.
  ///
  /// @param taken whether the entry is gone from here for good, so that the next may go
  void over(long now, boolean taken) {
    if (taken && triedAt != null) {
      triedAt.tryAt = now;
    }
    tried = null;
    triedAt = null;
    busyUntil = Long.MIN_VALUE;
  }

  private static String place(InFlightTask task) {
    Destination to = task.destination;
    Activation activation = task.activation;
    return to == null ? activation.application() : to.topic() + '\0' + to.cluster();
  }
}
