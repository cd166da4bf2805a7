package io.taskbroker.inflight;

import io.taskbroker.activation.Destination;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// Index of the entries that cannot be produced, and the schedule on which they are tried again
/// (H19): of each topic the smallest once a minute, and once that was taken the next at once, one
/// entry at a time. What is too large is refused while a smaller one is, so no more needs to be
/// tried. What an operator released is tried at once, beside that. Not thread-safe.
final class Quarantine {
  static final long PERIOD_MS = 60_000;

  /// Released entries that are tried at a time, and their bytes; a larger one is tried alone.
  private static final int MAX_RELEASING = 64;

  private static final long MAX_RELEASING_BYTES = 4 << 20;
  private static final int LONGEST_REASON = 200;

  private final Map<InFlightTask, QuarantinedRecord> held = new LinkedHashMap<>();
  private final Map<String, Refusals> partitionKeys = new HashMap<>(); // by topic and cluster

  /// Entries on their way to Kafka again, with what was held of them.
  private final Map<InFlightTask, QuarantinedRecord> retried = new HashMap<>();

  private final LinkedHashSet<InFlightTask> released = new LinkedHashSet<>();

  /// Released entries that are being read, or on their way, with their sizes.
  private final Map<InFlightTask, Integer> releasing = new HashMap<>();

  private long releasingBytes;

  private @Nullable InFlightTask tried;
  private @Nullable Refusals triedAt;
  private long busyUntil = Long.MIN_VALUE;

  /// An entry that cannot be produced.
  ///
  /// @param size bytes of what was to be produced
  /// @param since when this broker was first told so, milliseconds since the epoch
  /// @param reason what it was told last
  record QuarantinedRecord(InFlightTask task, int size, long since, String reason) {
    Destination destination() {
      Destination destination = task.destination;
      if (destination == null) {
        throw new IllegalStateException("Activation " + task.id() + " is held back from nowhere");
      }
      return destination;
    }
  }

  /// Entries that one topic refused.
  private static final class Refusals {
    private final TreeSet<QuarantinedRecord> bySize =
        new TreeSet<>(
            Comparator.comparingInt(QuarantinedRecord::size)
                .thenComparingLong(of -> of.task().key));
    private long tryAt;
    private String reason = "";
  }

  int size() {
    return held.size();
  }

  /// How many there are of each topic.
  Map<String, Integer> byTopic() {
    var topics = new TreeMap<String, Integer>();
    for (Refusals refusals : partitionKeys.values()) {
      topics.merge(
          refusals.bySize.getFirst().destination().topic(), refusals.bySize.size(), Integer::sum);
    }
    return topics;
  }

  /// All, in the order in which they came.
  Collection<QuarantinedRecord> all() {
    return held.values();
  }

  @Nullable QuarantinedRecord of(@Nullable InFlightTask task) {
    return task == null ? null : held.get(task);
  }

  /// Takes in what is kept of an entry that was refused.
  ///
  /// @param refused the entry that was on its way
  /// @param size bytes of what was to be produced
  /// @param wall milliseconds since the epoch
  void add(InFlightTask kept, InFlightTask refused, int size, long now, long wall, String why) {
    QuarantinedRecord before = retried.get(refused);
    long since = before == null ? wall : before.since();
    hold(new QuarantinedRecord(kept, size, since, why), now);
  }

  private void hold(QuarantinedRecord one, long now) {
    Refusals refusals = partitionKeys.computeIfAbsent(place(one), _ -> new Refusals());
    if (refusals.bySize.isEmpty() || refusals.tryAt < now) {
      refusals.tryAt = now + PERIOD_MS;
    }
    String why = one.reason();
    why = why.length() > LONGEST_REASON ? why.substring(0, LONGEST_REASON) : why;
    if (!refusals.reason.equals(why)) {
      refusals.reason = why; // one text for all that are refused for the same reason
    }
    QuarantinedRecord shared =
        new QuarantinedRecord(one.task(), one.size(), one.since(), refusals.reason);
    held.put(one.task(), shared);
    refusals.bySize.add(shared);
  }

  /// Gives an entry another destination.
  void redirect(QuarantinedRecord one, Destination destination, long now) {
    InFlightTask task = one.task();
    boolean _ = take(task);
    task.destination = destination;
    hold(one, now);
  }

  /// Has an entry tried again as soon as possible. Returns false if that was asked for before.
  boolean release(QuarantinedRecord one) {
    return !releasing.containsKey(one.task()) && released.add(one.task());
  }

  /// Forgets an entry, if it is here, in whatever state it is.
  void remove(InFlightTask task) {
    boolean _ = take(task);
    released.remove(task);
    retried.remove(task);
    stopReleasing(task);
  }

  private boolean take(InFlightTask task) {
    QuarantinedRecord one = held.remove(task);
    if (one == null) {
      return false;
    }
    Refusals refusals = partitionKeys.get(place(one));
    if (refusals != null) {
      refusals.bySize.remove(one);
      if (refusals.bySize.isEmpty()) {
        partitionKeys.remove(place(one));
      }
    }
    return true;
  }

  /// When an entry is to be tried again by the schedule; [Long#MAX_VALUE] if there is none. What is
  /// released goes as far as it can with each round.
  long next() {
    long next = Long.MAX_VALUE;
    for (Refusals refusals : partitionKeys.values()) {
      next = Math.min(next, refusals.tryAt);
    }
    return Math.max(next, busyUntil);
  }

  /// The entry to try now; null if it is time for none.
  @Nullable InFlightTask due(long now) {
    InFlightTask asked = dueRelease();
    if (asked != null) {
      return asked;
    }
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

  private @Nullable InFlightTask dueRelease() {
    while (!released.isEmpty() && releasing.size() < MAX_RELEASING) {
      InFlightTask first = released.getFirst();
      QuarantinedRecord one = held.get(first);
      int bytes = one == null ? 0 : one.size();
      if (!releasing.isEmpty() && releasingBytes + bytes > MAX_RELEASING_BYTES) {
        return null;
      }
      released.removeFirst();
      if (one != null) {
        releasing.put(first, bytes);
        releasingBytes += bytes;
        return first;
      }
    }
    return null;
  }

  /// The entry was read and is on its way to Kafka again.
  ///
  /// @param kept what was held
  /// @param again what is on its way in its place
  void trying(InFlightTask kept, InFlightTask again) {
    QuarantinedRecord one = held.get(kept);
    Integer asked = releasing.remove(kept);
    released.remove(kept);
    boolean _ = take(kept);
    if (one != null) {
      retried.put(again, one);
    }
    if (asked != null) {
      releasing.put(again, asked);
    } else {
      tried = again;
    }
  }

  /// Whether the entry is on its way to Kafka again.
  boolean isTried(InFlightTask task) {
    return retried.containsKey(task);
  }

  /// The entry is not being tried any more: it was taken, refused, or could not be read.
  ///
  /// @param gone whether it is gone from here for good, so that the next may go
  void over(InFlightTask task, long now, boolean gone) {
    retried.remove(task);
    if (stopReleasing(task)) {
      return;
    }
    if (tried != null && !tried.equals(task)) {
      return; // one of before, that took longer than a minute
    }
    if (gone && triedAt != null) {
      triedAt.tryAt = now;
    }
    tried = null;
    triedAt = null;
    busyUntil = Long.MIN_VALUE;
  }

  private boolean stopReleasing(InFlightTask task) {
    Integer bytes = releasing.remove(task);
    if (bytes == null) {
      return false;
    }
    releasingBytes -= bytes;
    return true;
  }

  private static String place(QuarantinedRecord one) {
    Destination to = one.destination();
    return to.topic() + '\0' + to.cluster();
  }

  /// Those of the ids that are held, or all, in the order in which they came.
  ///
  /// @param tasks everything in flight
  /// @param ids none for all
  /// @param topic empty for any
  List<QuarantinedRecord> matching(
      Map<String, InFlightTask> tasks, Collection<String> ids, String topic) {
    var found = new ArrayList<QuarantinedRecord>();
    if (ids.isEmpty()) {
      found.addAll(held.values());
    } else {
      for (String id : ids) {
        QuarantinedRecord one = of(tasks.get(id));
        if (one != null) {
          found.add(one);
        }
      }
    }
    found.removeIf(one -> !topic.isEmpty() && !one.destination().topic().equals(topic));
    return found;
  }
}
