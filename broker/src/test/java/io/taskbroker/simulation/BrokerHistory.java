package io.taskbroker.simulation;

import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Status;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// What the ledger knows of one broker: its disk, and what was said to it.
final class BrokerHistory {
  private static final long RULES_SEEN_WITHIN = SimulatedWorld.SECOND;

  /// How a row ended.
  enum End {
    COMPLETED,
    RETRIED,
    DEAD_LETTERED,
    DISCARDED,
    EXPIRED,
    DEMOTED,
    SWITCHED_OFF
  }

  /// A row that was, or is, on the disk.
  static final class Line {
    final long key;
    final Spec spec;
    final WorkerLedger.Reading reading;
    final long insertedAt;
    @Nullable String leavesFor;
    byte[] departing;
    int handOuts;

    /// The hand-out, by its number, whose answer the engine stopped to wait for.
    int givenUp;

    @Nullable BrokerRun handedOutBy;
    @Nullable BrokerRun heldIn;

    /// Deadlines of it that passed, and proven deaths of workers that had nothing but it.
    int deadlines;

    int deaths;

    /// Whether the last call ended in such a death; the run that lost the call before, if it was
    /// lost, and how many others its workers had taken then.
    boolean deathProven;

    @Nullable BrokerRun lostIn;
    int takenAtLoss;

    /// The run that must give its worker time to report, because it found it handed out.
    @Nullable BrokerRun foundIn;

    long foundAt;
    long lastHandOut;
    @Nullable End end;
    boolean refused;

    /// When it was on its way out on disk, and when gone; [Long#MAX_VALUE] while it is not.
    long leftAt = Long.MAX_VALUE;

    long endedAt = Long.MAX_VALUE;

    /// When the outbox got it, and when a Complete of it was answered; negative while not.
    long departedAt = -1;

    long completedAt = -1;

    /// When a Complete of it was written down for another broker; negative while not.
    long recordedAt = -1;

    Line(long key, Spec spec, WorkerLedger.Reading reading, long insertedAt) {
      this.key = key;
      this.spec = spec;
      this.reading = reading;
      this.insertedAt = insertedAt;
      this.departing = spec.bytes();
    }

    /// Whether it ended, or left, since then.
    boolean isGoneSince(long then) {
      return (endedAt >= then && end != null) || (leftAt >= then && leavesFor != null);
    }

    /// Whether it makes a duplicate of a record of its id that came then: not if it was on its way
    /// out already, unless it is the same record (H4).
    boolean excuses(Origin origin, long since) {
      return endedAt >= since && (leftAt >= since || spec.origin().equals(origin));
    }
  }

  final Map<Long, Line> lines = new LinkedHashMap<>();
  final Map<Origin, Line> byOrigin = new HashMap<>();
  final Map<String, List<Line>> byId = new HashMap<>();
  final Map<String, Long> watermarks = new HashMap<>();

  /// The same, what was lost included.
  final Map<String, Long> everDurable = new HashMap<>();

  /// Partitions whose log was cut since this broker last looked where to read on.
  final Set<String> behind = new HashSet<>();

  final Map<String, Long> tombstones = new HashMap<>();

  /// Until when ids must not come again: everywhere, or to the partition that they came from (H8).
  final Map<String, Long> forbidden = new HashMap<>();

  final Set<Origin> rejected = new HashSet<>();
  final Map<String, Set<Status>> reported = new HashMap<>();
  long latestWall;
  boolean died;

  /// When its disk was last lost; negative if it never was.
  long lostAt = -1;

  /// Rules that the broker was to go by, and from when to when.
  private record Ruled(SimulatedRules rules, long from, long until) {}

  private final List<Ruled> ruled = new ArrayList<>();

  /// Other rules hold from now on; a process sees them within [#RULES_SEEN_WITHIN] of running.
  ///
  /// @param runsAt when the process runs: now, or the end of its freeze
  void rule(long now, long runsAt, SimulatedRules before, SimulatedRules wanted) {
    if (ruled.isEmpty()) {
      ruled.add(new Ruled(before, 0, Long.MAX_VALUE));
    }
    Ruled last = ruled.getLast();
    if (last.rules.equals(wanted) && last.from == now) {
      // Another broker of the same store has heard it.
      ruled.replaceAll(each ->
          each.until >= now && each.until < Long.MAX_VALUE
              ? new Ruled(each.rules, each.from, Math.max(each.until, runsAt + RULES_SEEN_WITHIN))
              : each);
      return;
    }
    last = ruled.removeLast();
    ruled.add(new Ruled(last.rules, last.from, runsAt + RULES_SEEN_WITHIN));
    ruled.add(new Ruled(wanted, now, Long.MAX_VALUE));
  }

  /// The process does not run until then: rules that it may still go by hold for longer.
  void freeze(long now, long until) {
    ruled.replaceAll(each ->
        each.until < now || each.until == Long.MAX_VALUE
            ? each
            : new Ruled(each.rules, each.from, Math.max(each.until, until + RULES_SEEN_WITHIN)));
  }

  /// Whether rules may have been in force since then of which that is true.
  boolean wasRuled(long since, Predicate<SimulatedRules> what) {
    return ruled.stream().anyMatch(each -> each.until >= since && what.test(each.rules));
  }

  List<Line> of(String id) {
    return byId.getOrDefault(id, List.of());
  }

  /// @param gone whether the log has lost its record
  void add(Line line, boolean gone) {
    lines.put(line.key, line);
    if (!gone) {
      byOrigin.put(line.spec.origin(), line);
    }
    byId.computeIfAbsent(line.spec.id(), _ -> new ArrayList<>()).add(line);
  }

  /// Whether its key was not used again, as it may be by a store that is a new one.
  boolean isLast(Line line) {
    return line.equals(lines.get(line.key));
  }

  /// A log lost its records from there on.
  void cut(String topic, int partition, long offset) {
    String place = KafkaLedger.place(topic, partition);
    behind.add(place);
    watermarks.computeIfPresent(place, (_, next) -> Math.min(next, offset));
    everDurable.computeIfPresent(place, (_, next) -> Math.min(next, offset));
    byOrigin
        .keySet()
        .removeIf(origin ->
            origin.topic().equals(topic)
                && origin.partition() == partition
                && origin.offset() >= offset);
  }

  /// As if it had never been on disk.
  void forget(Line line) {
    lines.remove(line.key);
    byOrigin.remove(line.spec.origin(), line);
    of(line.spec.id()).remove(line);
  }

  boolean wasReported(String id, Status status) {
    return reported.getOrDefault(id, Set.of()).contains(status);
  }

  void report(String id, Status status) {
    reported.computeIfAbsent(id, _ -> EnumSet.noneOf(Status.class)).add(status);
  }
}
