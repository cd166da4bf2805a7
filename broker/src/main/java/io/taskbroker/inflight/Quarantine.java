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

/// Index of the tasks that Kafka refused, with their retry schedule (H19): the smallest of each
/// topic once a minute; after a success the next one at once; one task at a time. A topic that
/// refuses a task for its size refuses larger ones, too, so trying the smallest is enough. Tasks
/// that an operator releases are tried at once, beside the schedule. Not thread-safe.
final class Quarantine {
  static final long PERIOD_MS = 60_000;

  /// Released tasks that are tried at a time, and their total bytes; a larger task is tried alone.
  private static final int MAX_RELEASING = 64;

  private static final long MAX_RELEASING_BYTES = 4 << 20;
  private static final int LONGEST_REASON = 200;

  private final Map<InFlightTask, QuarantinedRecord> held = new LinkedHashMap<>();
  private final Map<String, Refusals> byDestination = new HashMap<>(); // by topic and cluster

  /// Tasks that are being produced again, with the records that were kept of them.
  private final Map<InFlightTask, QuarantinedRecord> retried = new HashMap<>();

  private final LinkedHashSet<InFlightTask> released = new LinkedHashSet<>();

  /// Released tasks that are being read or produced, with their sizes in bytes.
  private final Map<InFlightTask, Integer> releasing = new HashMap<>();

  private long releasingBytes;

  private @Nullable InFlightTask tried;
  private @Nullable Refusals triedAt;
  private long busyUntil = Long.MIN_VALUE;

  /// A task that cannot be produced.
  ///
  /// @param size bytes of the payload to produce
  /// @param since when this broker process first learned of the refusal, milliseconds since the
  ///   epoch
  /// @param reason the last refusal
  record QuarantinedRecord(InFlightTask task, int size, long since, String reason) {
    Destination destination() {
      Destination destination = task.destination;
      if (destination == null) {
        throw new IllegalStateException(
            "Activation " + task.id() + " is quarantined without a destination");
      }
      return destination;
    }
  }

  /// Tasks that one topic refused.
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

  /// Number of quarantined tasks by topic.
  Map<String, Integer> byTopic() {
    var topics = new TreeMap<String, Integer>();
    for (Refusals refusals : byDestination.values()) {
      topics.merge(
          refusals.bySize.getFirst().destination().topic(), refusals.bySize.size(), Integer::sum);
    }
    return topics;
  }

  /// All quarantined tasks in the order of their refusal.
  Collection<QuarantinedRecord> all() {
    return held.values();
  }

  @Nullable QuarantinedRecord of(@Nullable InFlightTask task) {
    return task == null ? null : held.get(task);
  }

  /// Adds a refused task.
  ///
  /// @param kept the copy without payload that stays in memory
  /// @param refused the task that was produced
  /// @param size bytes of the payload to produce
  /// @param wall milliseconds since the epoch
  void add(InFlightTask kept, InFlightTask refused, int size, long now, long wall, String why) {
    QuarantinedRecord before = retried.get(refused);
    long since = before == null ? wall : before.since();
    hold(new QuarantinedRecord(kept, size, since, why), now);
  }

  private void hold(QuarantinedRecord record, long now) {
    Refusals refusals = byDestination.computeIfAbsent(destinationKey(record), _ -> new Refusals());
    if (refusals.bySize.isEmpty() || refusals.tryAt < now) {
      refusals.tryAt = now + PERIOD_MS;
    }
    String why = record.reason();
    why = why.length() > LONGEST_REASON ? why.substring(0, LONGEST_REASON) : why;
    if (!refusals.reason.equals(why)) {
      refusals.reason = why; // one string for all tasks of the same reason
    }
    QuarantinedRecord shared =
        new QuarantinedRecord(record.task(), record.size(), record.since(), refusals.reason);
    held.put(record.task(), shared);
    refusals.bySize.add(shared);
  }

  /// Changes the destination of a task.
  void redirect(QuarantinedRecord record, Destination destination, long now) {
    InFlightTask task = record.task();
    boolean _ = take(task);
    task.destination = destination;
    hold(record, now);
  }

  /// Schedules a task to be tried as soon as possible. Returns false if it is released already.
  boolean release(QuarantinedRecord record) {
    return !releasing.containsKey(record.task()) && released.add(record.task());
  }

  /// Removes a task in whatever state, if it is here.
  void remove(InFlightTask task) {
    boolean _ = take(task);
    released.remove(task);
    retried.remove(task);
    stopReleasing(task);
  }

  private boolean take(InFlightTask task) {
    QuarantinedRecord record = held.remove(task);
    if (record == null) {
      return false;
    }
    Refusals refusals = byDestination.get(destinationKey(record));
    if (refusals != null) {
      refusals.bySize.remove(record);
      if (refusals.bySize.isEmpty()) {
        byDestination.remove(destinationKey(record));
      }
    }
    return true;
  }

  /// When the schedule next tries a task; [Long#MAX_VALUE] if it has none. Released tasks do not
  /// count: each round tries as many of them as it can.
  long next() {
    long next = Long.MAX_VALUE;
    for (Refusals refusals : byDestination.values()) {
      next = Math.min(next, refusals.tryAt);
    }
    return Math.max(next, busyUntil);
  }

  /// The task to try now; null if none is due.
  @Nullable InFlightTask due(long now) {
    InFlightTask asked = dueRelease();
    if (asked != null) {
      return asked;
    }
    if (busyUntil > now) {
      return null;
    }
    for (Refusals refusals : byDestination.values()) {
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
      QuarantinedRecord record = held.get(first);
      int bytes = record == null ? 0 : record.size();
      if (!releasing.isEmpty() && releasingBytes + bytes > MAX_RELEASING_BYTES) {
        return null;
      }
      released.removeFirst();
      if (record != null) {
        releasing.put(first, bytes);
        releasingBytes += bytes;
        return first;
      }
    }
    return null;
  }

  /// Records that a task was read and is being produced again.
  ///
  /// @param kept the task that was held
  /// @param again the task that is produced in its stead
  void retrying(InFlightTask kept, InFlightTask again) {
    QuarantinedRecord record = held.get(kept);
    Integer asked = releasing.remove(kept);
    released.remove(kept);
    boolean _ = take(kept);
    if (record != null) {
      retried.put(again, record);
    }
    if (asked != null) {
      releasing.put(again, asked);
    } else {
      tried = again;
    }
  }

  /// Whether the task is being produced again.
  boolean isRetried(InFlightTask task) {
    return retried.containsKey(task);
  }

  /// Ends an attempt: the task was produced, refused, or could not be read.
  ///
  /// @param gone whether the task has left the quarantine for good, so that the next one may be
  ///   tried
  void ended(InFlightTask task, long now, boolean gone) {
    retried.remove(task);
    if (stopReleasing(task)) {
      return;
    }
    if (tried != null && !tried.equals(task)) {
      return; // an earlier attempt that took longer than a minute
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

  private static String destinationKey(QuarantinedRecord record) {
    Destination to = record.destination();
    return to.topic() + '\0' + to.cluster();
  }

  /// The quarantined tasks among the ids, or all, in the order of their refusal.
  ///
  /// @param tasks all tasks in flight
  /// @param ids empty for all
  /// @param topic empty for any
  List<QuarantinedRecord> matching(
      Map<String, InFlightTask> tasks, Collection<String> ids, String topic) {
    var found = new ArrayList<QuarantinedRecord>();
    if (ids.isEmpty()) {
      found.addAll(held.values());
    } else {
      for (String id : ids) {
        QuarantinedRecord record = of(tasks.get(id));
        if (record != null) {
          found.add(record);
        }
      }
    }
    found.removeIf(record -> !topic.isEmpty() && !record.destination().topic().equals(topic));
    return found;
  }
}
