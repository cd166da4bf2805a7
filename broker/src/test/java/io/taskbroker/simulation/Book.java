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
import org.jspecify.annotations.Nullable;

/// What the ledger knows of one broker: its disk, and what was said to it.
final class Book {
  /// How a row ended.
  enum End {
    COMPLETED,
    RETRIED,
    DEAD_LETTERED,
    DISCARDED,
    EXPIRED
  }

  /// A row that was, or is, on the disk.
  static final class Line {
    final long key;
    final Spec spec;
    final long insertedAt;
    @Nullable String leavesFor;
    byte[] departing;
    int handOuts;
    @Nullable BrokerRun heldIn;

    /// The run that must give its worker time to report, because it found it handed out.
    @Nullable BrokerRun foundIn;

    long foundAt;
    long lastHandOut;
    @Nullable End end;
    boolean refused;

    Line(long key, Spec spec, long insertedAt) {
      this.key = key;
      this.spec = spec;
      this.insertedAt = insertedAt;
      this.departing = spec.bytes();
    }
  }

  final Map<Long, Line> lines = new LinkedHashMap<>();
  final Map<Origin, Line> byOrigin = new HashMap<>();
  final Map<String, List<Line>> byId = new HashMap<>();
  final Map<String, Long> watermarks = new HashMap<>();
  final Map<String, Long> tombstones = new HashMap<>();
  final Set<Origin> rejected = new HashSet<>();
  final Map<String, Set<Status>> reported = new HashMap<>();
  long latestWall;
  boolean died;

  List<Line> of(String id) {
    return byId.getOrDefault(id, List.of());
  }

  void add(Line line) {
    lines.put(line.key, line);
    byOrigin.put(line.spec.origin(), line);
    byId.computeIfAbsent(line.spec.id(), _ -> new ArrayList<>()).add(line);
  }

  boolean wasReported(String id, Status status) {
    return reported.getOrDefault(id, Set.of()).contains(status);
  }

  void report(String id, Status status) {
    reported.computeIfAbsent(id, _ -> EnumSet.noneOf(Status.class)).add(status);
  }
}
