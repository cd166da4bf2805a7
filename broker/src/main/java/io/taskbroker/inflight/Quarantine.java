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

  private final Map<Entry, Held> held = new HashMap<>();
  private final Map<String, Refusals> places = new HashMap<>(); // by topic and cluster

  private @Nullable Entry tried;
  private @Nullable Refusals triedAt;
  private long busyUntil = Long.MIN_VALUE;

  private record Held(Entry entry, int size) {}

  /// Entries that one topic refused.
  private static final class Refusals {
    private final TreeSet<Held> bySize =
        new TreeSet<>(Comparator.comparingInt(Held::size).thenComparingLong(of -> of.entry().key));
    private long tryAt;
  }

  int size() {
    return held.size();
  }

  /// Takes in an entry that was refused, and has not been tried again or was refused once more.
  ///
  /// @param size bytes of what was to be produced
  void add(Entry entry, int size, long now) {
    Refusals refusals = places.computeIfAbsent(place(entry), _ -> new Refusals());
    if (refusals.bySize.isEmpty() || refusals.tryAt < now) {
      refusals.tryAt = now + PERIOD_MS;
    }
    Held one = new Held(entry, size);
    held.put(entry, one);
    refusals.bySize.add(one);
  }

  /// Forgets an entry, if it is here.
  void remove(Entry entry) {
    Held one = held.remove(entry);
    if (one == null) {
      return;
    }
    String place = place(entry);
    Refusals refusals = places.get(place);
    if (refusals != null) {
      refusals.bySize.remove(one);
      if (refusals.bySize.isEmpty()) {
        places.remove(place);
      }
    }
  }

  /// When an entry is to be tried again; [Long#MAX_VALUE] if there is none.
  long next() {
    long next = Long.MAX_VALUE;
    for (Refusals refusals : places.values()) {
      next = Math.min(next, refusals.tryAt);
    }
    return Math.max(next, busyUntil);
  }

  /// The entry to try now; null if it is time for none.
  @Nullable Entry due(long now) {
    if (busyUntil > now) {
      return null;
    }
    for (Refusals refusals : places.values()) {
      if (refusals.tryAt <= now) {
        refusals.tryAt = now + PERIOD_MS;
        triedAt = refusals;
        tried = null;
        busyUntil = now + PERIOD_MS;
        return refusals.bySize.getFirst().entry();
      }
    }
    return null;
  }

  /// The entry is on its way to Kafka again.
  void trying(Entry entry) {
    tried = entry;
  }

  boolean isTried(Entry entry) {
    return entry.equals(tried);
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

  private static String place(Entry entry) {
    Destination to = entry.destination;
    Activation activation = entry.activation;
    return to == null ? activation.application() : to.topic() + '\0' + to.cluster();
  }
}
