package io.taskbroker.store.postgres;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Watermark;
import io.taskbroker.store.ActivationStore.Outcome;
import io.taskbroker.store.postgres.CommitSegment.Kind;
import io.taskbroker.store.postgres.OwnedPartition.Mark;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/// What a batch comes to: the statements' worth of changes of what is this broker's own, and what
/// becomes of the rest. Confined to the committer's thread.
final class CommitPlan {
  final List<CommitSegment> segments = new ArrayList<>();
  final List<TombstoneAt> tombstones = new ArrayList<>();
  final Map<SourcePartition, Moved> watermarks = new LinkedHashMap<>();
  final Set<OwnedPartition> places = new LinkedHashSet<>();
  private final Map<Integer, Long> sizes = new HashMap<>(); // by slot
  private final Outcome[] outcomes;

  private CommitPlan(int changes) {
    outcomes = new Outcome[changes];
    Arrays.fill(outcomes, Outcome.APPLIED);
  }

  record TombstoneAt(OwnedPartition place, String id, long until) {}

  /// @param was null if there is no row of it
  record Moved(OwnedPartition place, @Nullable Mark was, Watermark now) {
    long version() {
      return was == null ? 1 : was.version() + 1;
    }
  }

  /// The rows that end, of which something was reported elsewhere.
  long[] reported(RemoteReportTable reports) {
    LongStream.Builder keys = LongStream.builder();
    for (CommitSegment segment : segments) {
      for (Change change : segment.changes(Kind.DELETE)) {
        if (reports.areOf(CommitSegment.key(change))) {
          keys.add(CommitSegment.key(change));
        }
      }
    }
    return keys.build().toArray();
  }

  static CommitPlan of(List<Change> changes, OwnedPartitions places) {
    CommitPlan plan = new CommitPlan(changes.size());
    for (int i = 0; i < changes.size(); i++) {
      plan.add(changes.get(i), i, places);
    }
    return plan;
  }

  boolean isEmpty() {
    return places.isEmpty();
  }

  int[] slots() {
    return places.stream().mapToInt(OwnedPartition::slot).toArray();
  }

  void missed(int index, Outcome outcome) {
    outcomes[index] = outcome;
  }

  List<Outcome> outcomes() {
    return Collections.unmodifiableList(Arrays.asList(outcomes));
  }

  /// The rows of a place became larger by so many bytes.
  void sized(int slot, long bytes) {
    sizes.merge(slot, bytes, Long::sum);
  }

  /// Watermarks and sizes are what they became.
  void committed() {
    places.forEach(place -> place.bytes().addAndGet(sizes.getOrDefault(place.slot(), 0L)));
    watermarks.forEach((partition, moved) ->
        moved.place().marks().put(partition, new Mark(moved.now(), moved.version())));
  }

  /// So they were by an attempt whose reply was lost. What it did to the sizes is not known, and
  /// taken to be what was planned.
  void committedBefore() {
    for (CommitSegment segment : segments) {
      for (CommitSegment.Part part : segment.parts()) {
        for (int i = 0; i < part.changes.size(); i++) {
          if (part.changes.get(i) instanceof Change.Insert insert) {
            sized(
                part.places.get(i).slot(),
                CommitSession.ROW_BYTES + insert.row().activation().payload().length);
          }
        }
      }
    }
    committed();
  }

  private void add(Change change, int index, OwnedPartitions owned) {
    switch (change) {
      case Change.Insert c -> row(Kind.INSERT, c, c.row().activation().origin(), index, owned);
      case Change.UpdateStatus c -> row(Kind.MARK, c, c.origin(), index, owned);
      case Change.ConfirmOffset c -> row(Kind.PROVE, c, c.origin(), index, owned);
      case Change.Forward c ->
          row(
              c.payload() == null ? Kind.LEAVE : Kind.LEAVE_WITH_PAYLOAD,
              c,
              c.origin(),
              index,
              owned);
      case Change.Delete c -> {
        OwnedPartition place = row(Kind.DELETE, c, c.origin(), index, owned);
        if (place != null && c.tombstoneUntil() != Row.NONE) {
          tombstones.add(new TombstoneAt(place, c.id(), c.tombstoneUntil()));
        }
      }
      case Change.AdvanceWatermark c ->
          watermark(
              c.partition(),
              index,
              owned,
              old ->
                  old == null
                      ? new Watermark(c.partition(), c.next(), Watermark.NONE, c.last())
                      : old.movedTo(c.next(), c.last()));
      case Change.OffsetCommitted c ->
          watermark(
              c.partition(),
              index,
              owned,
              old ->
                  old == null
                      ? new Watermark(c.partition(), c.committed(), c.committed())
                      : new Watermark(c.partition(), old.next(), c.committed(), old.last()));
    }
  }

  private @Nullable OwnedPartition row(
      Kind kind, Change change, Origin origin, int index, OwnedPartitions owned) {
    OwnedPartition place = owned.of(origin);
    if (place == null) {
      outcomes[index] = Outcome.FENCED;
      return null;
    }
    places.add(place);
    if (segments.isEmpty() || !segments.getLast().add(kind, change, place, index)) {
      CommitSegment next = new CommitSegment();
      next.add(kind, change, place, index);
      segments.add(next);
    }
    return place;
  }

  private void watermark(
      SourcePartition partition,
      int index,
      OwnedPartitions owned,
      Function<@Nullable Watermark, Watermark> change) {
    OwnedPartition place = owned.of(partition);
    if (place == null) {
      outcomes[index] = Outcome.FENCED;
      return;
    }
    places.add(place);
    Moved before = watermarks.get(partition);
    Mark was = before != null ? before.was() : place.marks().get(partition);
    Watermark old = before != null ? before.now() : was == null ? null : was.watermark();
    watermarks.put(partition, new Moved(place, was, change.apply(old)));
  }
}
