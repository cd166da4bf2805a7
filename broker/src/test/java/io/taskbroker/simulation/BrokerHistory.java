package io.taskbroker.simulation;

import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.api.AttemptToken;
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

/// The ledger's record of one broker: its disk, and the reports and rules that it received.
final class BrokerHistory {
  private static final long RULES_SEEN_WITHIN = SimulatedWorld.SECOND;

  /// Outcome of a row.
  enum End {
    COMPLETED,
    RETRIED,
    DEAD_LETTERED,
    DISCARDED,
    EXPIRED,
    CANCELLED,
    DEMOTED,
    SWITCHED_OFF
  }

  /// A row that is or was on the disk.
  static final class Line {
    final long key;

    /// As it was published or enqueued; each attempt in the store has its own.
    Spec spec;

    final WorkerLedger.Reading reading;
    final long insertedAt;
    boolean parked;
    @Nullable String targetTopic;
    byte[] forwardedPayload;
    int deliveries;

    /// How many of them provably reached no worker.
    int unreached;

    /// Number of the delivery whose reply the engine stopped waiting for.
    int abandonedDelivery;

    /// The broker at which it was enqueued; null if it comes from Kafka.
    @Nullable SimulatedBroker home;

    /// Token of the last delivery, by [#deliveredBy]; null if there was none in this attempt.
    @Nullable AttemptToken lastToken;

    /// Whether the process has released its partition since: tokens of before count again.
    boolean forgotten;

    /// The stream whose worker has it; null if none has.
    @Nullable ObservedSession session;

    /// When its worker last said that it still has it.
    long extendedAt;

    /// Failures that its workers reported in this attempt: after a restart the first to arrive
    /// counts, whose delivery it ever is of.
    final List<StreamLedger.Failure> failures = new ArrayList<>();

    /// Whether a client wants it cancelled, and the process that knows of it and lets its worker
    /// end.
    boolean cancelWanted;

    @Nullable SimulatedProcess cancelledIn;
    @Nullable SimulatedProcess deliveredBy;
    @Nullable SimulatedProcess heldIn;

    /// The process that has decided how this attempt ends: the store may take long to do so.
    @Nullable SimulatedProcess decidedIn;

    /// Processing deadlines that passed, and proven deaths of workers that had no other task.
    int deadlines;

    int deaths;

    /// How often the worker was lost that had it from a stream.
    int losses;

    /// Whether the last call ended in such a death; the process that lost the call before, if it
    /// was lost, and how many other tasks its workers had accepted by then.
    boolean deathProven;

    @Nullable SimulatedProcess lostIn;
    int acceptedAtLoss;

    /// The process that must allow its worker time to report, because it found the row delivered at
    /// its start.
    @Nullable SimulatedProcess foundIn;

    long foundAt;
    long foundClock;

    /// Whether its workers of this attempt all had streams.
    boolean onlyStreams = true;

    /// The process that must wait for its worker to come back, because it found at its start that
    /// one had it from a stream; null once that worker has named it or is given up.
    @Nullable SimulatedProcess awaitedIn;

    long awaitedSince;

    /// Token of the last result that reached a process.
    @Nullable AttemptToken reported;

    @Nullable SimulatedProcess reportedIn;
    long lastDelivery;
    @Nullable End end;
    boolean refused;

    /// When the forward and the delete became durable; [Long#MAX_VALUE] before that.
    long forwardedAt = Long.MAX_VALUE;

    long endedAt = Long.MAX_VALUE;

    /// When the outbox received it, and when a Complete of it was acknowledged; negative before
    /// that.
    long producedAt = -1;

    long completedAt = -1;

    /// When a Complete of it was recorded for another broker; negative before that.
    long recordedAt = -1;

    Line(long key, Spec spec, WorkerLedger.Reading reading, long insertedAt) {
      this.key = key;
      this.spec = spec;
      this.reading = reading;
      this.insertedAt = insertedAt;
      this.forwardedPayload = spec.bytes();
    }

    /// Whether it is neither over nor forwarded.
    boolean isWaiting() {
      return end == null && targetTopic == null;
    }

    /// Whether the process has still to do something about it.
    boolean isWaitingFor(SimulatedProcess process) {
      return isWaiting() && decidedIn != process;
    }

    /// When its worker got it, or last said that it has it.
    long heldSince() {
      return Math.max(lastDelivery, extendedAt);
    }

    /// Another attempt begins.
    void retried(Spec next) {
      spec = next;
      forwardedPayload = next.bytes();
      lastToken = null;
      session = null;
      failures.clear();
      onlyStreams = true;
      awaitedIn = null;
      heldIn = null;
      decidedIn = null;
      deliveries = 0;
      unreached = 0;
      abandonedDelivery = 0;
    }

    /// The row is as it was once.
    void revive(Row row) {
      end = null;
      endedAt = Long.MAX_VALUE;
      targetTopic = row.forwardTo() == null ? null : row.forwardTo().topic();
      forwardedPayload = row.activation().payload();
      forwardedAt = targetTopic == null ? Long.MAX_VALUE : forwardedAt;
      producedAt = -1;
      completedAt = -1;
      recordedAt = -1;
      heldIn = null;
      decidedIn = null;
      deliveredBy = null;
      lostIn = null;
      deathProven = false;
    }

    /// Whether it ended or was forwarded since then.
    boolean isGoneSince(long then) {
      return (endedAt >= then && end != null) || (forwardedAt >= then && targetTopic != null);
    }

    /// Whether a record of the same id that arrived then is a duplicate of it: not if it was
    /// already forwarded, unless it is the same record (H4).
    boolean excuses(Origin origin, long since) {
      return endedAt >= since && (forwardedAt >= since || spec.origin().equals(origin));
    }
  }

  final Map<Long, Line> lines = new LinkedHashMap<>();
  final Map<Origin, Line> byOrigin = new HashMap<>();
  final Map<String, List<Line>> byId = new HashMap<>();
  final Map<String, Long> watermarks = new HashMap<>();

  /// The same, including what was lost.
  final Map<String, Long> everDurable = new HashMap<>();

  /// Partitions whose log was cut since this broker last looked where to read on.
  final Map<String, Long> behind = new HashMap<>();

  /// The process that found each of them cut.
  final Map<String, SimulatedProcess> noticedBy = new HashMap<>();

  final Map<String, Long> tombstones = new HashMap<>();

  /// Time until which an id must not be accepted again: from anywhere, or from the partition that
  /// it came from (H8).
  final Map<String, Long> forbidden = new HashMap<>();

  final Set<Origin> rejected = new HashSet<>();
  final Map<String, Set<Status>> reported = new HashMap<>();
  long latestWall;
  boolean died;

  /// When its disk was last lost; negative if never.
  long lostAt = -1;

  /// Rules of the broker, with the time for which they may be in force.
  private record Ruled(SimulatedRules rules, long from, long until) {}

  private final List<Ruled> ruled = new ArrayList<>();

  /// When its disk was copied, and when the copy was put back; negative if never.
  long copiedAt = -1;

  long restoredAt = -1;
  boolean restoreJudged;
  private final Map<String, Long> copiedWatermarks = new HashMap<>();
  private final Map<String, Long> copiedForbidden = new HashMap<>();

  /// Its disk is copied.
  void copy(long now) {
    copiedAt = now;
    copiedWatermarks.putAll(watermarks);
    copiedForbidden.putAll(forbidden);
  }

  /// The copy is put back. A process may remember ids that the disk has forgotten.
  ///
  /// @param rows of the copy
  void restore(Map<Long, Row> rows, long now) {
    restoredAt = now;
    lostAt = now;
    for (Line line : List.copyOf(lines.values())) {
      Row row = rows.get(line.key);
      if (row != null) {
        line.revive(row);
      } else if (line.end == null) {
        forget(line);
      }
    }
    watermarks.clear();
    watermarks.putAll(copiedWatermarks);
    forbidden.clear();
    forbidden.putAll(copiedForbidden);
  }

  /// Records new rules from now on; a process applies them within [#RULES_SEEN_WITHIN] of running
  /// time.
  ///
  /// @param runsAt when the process runs: now, or the end of its freeze
  void rule(long now, long runsAt, SimulatedRules before, SimulatedRules wanted) {
    if (ruled.isEmpty()) {
      ruled.add(new Ruled(before, 0, Long.MAX_VALUE));
    }
    // The file is read once after several changes: what may still be in force stays until then.
    ruled.replaceAll(each ->
        each.until >= now && each.until < Long.MAX_VALUE
            ? new Ruled(each.rules, each.from, Math.max(each.until, runsAt + RULES_SEEN_WITHIN))
            : each);
    Ruled last = ruled.getLast();
    if (last.rules.equals(wanted) && last.from == now) {
      return; // another broker of the same store received them already
    }
    last = ruled.removeLast();
    ruled.add(new Ruled(last.rules, last.from, runsAt + RULES_SEEN_WITHIN));
    ruled.add(new Ruled(wanted, now, Long.MAX_VALUE));
  }

  /// The process is frozen until then: rules that it may still apply are valid for longer.
  void freeze(long now, long until) {
    ruled.replaceAll(each ->
        each.until < now || each.until == Long.MAX_VALUE
            ? each
            : new Ruled(each.rules, each.from, Math.max(each.until, until + RULES_SEEN_WITHIN)));
  }

  /// Whether rules that match may have been in force since then.
  boolean wasRuled(long since, Predicate<SimulatedRules> what) {
    return ruled.stream().anyMatch(each -> each.until >= since && what.test(each.rules));
  }

  List<Line> of(String id) {
    return byId.getOrDefault(id, List.of());
  }

  /// @param gone whether the log has lost its record
  void add(Line line, boolean gone) {
    lines.put(line.key, line);
    if (!gone && line.home == null) {
      byOrigin.put(line.spec.origin(), line);
    }
    byId.computeIfAbsent(line.spec.id(), _ -> new ArrayList<>()).add(line);
  }

  /// Whether no later row reused its key, which happens after the store was replaced.
  boolean isLast(Line line) {
    return line.equals(lines.get(line.key));
  }

  /// A log lost its records from there on.
  void cut(String topic, int partition, long offset) {
    String name = KafkaLedger.partitionName(topic, partition);
    behind.merge(name, offset, Math::min);
    watermarks.computeIfPresent(name, (_, next) -> Math.min(next, offset));
    everDurable.computeIfPresent(name, (_, next) -> Math.min(next, offset));
    byOrigin
        .keySet()
        .removeIf(origin ->
            origin.topic().equals(topic)
                && origin.partition() == partition
                && origin.offset() >= offset);
  }

  /// Removes the row as if it had never been on disk.
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
