package io.taskbroker.inflight;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.ParkedRow;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Watermark;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// How partitions come from, and go to, other brokers on the same store, with everything that is in
/// flight of them (H10, H11, H17). Not thread-safe.
final class Handover {
  private static final String MOVED = "its partition is another broker's now";

  private final Flight flight;
  private final Endings endings;
  private final Marks marks;
  private final Resumption resumption;
  private final Recall recall;
  private final Map<SourcePartition, PartitionIntake> partitions;

  /// @param partitions the partitions that are, or were, ours
  Handover(
      Flight flight,
      Endings endings,
      Marks marks,
      Resumption resumption,
      Recall recall,
      Map<SourcePartition, PartitionIntake> partitions) {
    this.flight = flight;
    this.endings = endings;
    this.marks = marks;
    this.resumption = resumption;
    this.recall = recall;
    this.partitions = partitions;
  }

  /// Takes in a page of what the store has of a partition that is now ours. What lastKey is does
  /// not depend on it: other brokers made those keys.
  void restored(Command.Restored page) {
    PartitionIntake intake = partitions.computeIfAbsent(page.partition(), PartitionIntake::new);
    intake.revoked = false;
    intake.draining = false;
    intake.lost = false;
    if (!page.inOrder()) {
      flight.awaitReports();
    }
    intake.assignedAt = Watermark.NONE; // its rows are what the store has, and none is read again
    for (Row row : page.rows()) {
      restored(row, page.inOrder());
    }
    for (ParkedRow row : page.parked()) {
      if (!isHere(row.id(), row.key())) {
        recall.found(row);
        flight.lane(row.application()).parking.rewind();
      }
    }
    page.tombstones().forEach(flight.tombstones::add);
  }

  private void restored(Row row, boolean inOrder) {
    String id = row.activation().id();
    if (isHere(id, row.key())) {
      return;
    }
    Entry entry = resumption.entry(row);
    if (flight.join(entry)) {
      resumption.resume(entry, inOrder);
      return;
    }
    Entry other = flight.entries.get(id);
    if (other != null && other.step == Entry.Step.QUARANTINED) {
      endings.endQuarantine(other, true);
    }
  }

  /// Whether a row is in memory already. One that was being given up is newer on disk.
  private boolean isHere(String id, long key) {
    Entry entry = flight.entries.get(id);
    if (entry == null || entry.key != key) {
      entry = flight.twins.find(id, key);
    }
    if (entry != null && entry.givenUp) {
      endings.shed(entry, MOVED);
      return false;
    }
    return entry != null;
  }

  /// Entries whose twins have ended go on.
  void resumeTwins() {
    Entry free = flight.twins.pollFree();
    while (free != null) {
      if (free.step == Entry.Step.STORED) {
        resumption.resume(free, false);
      }
      free = flight.twins.pollFree();
    }
  }

  /// Gives up what is in flight of a partition: in order, so that workers are not disturbed, or at
  /// once if it is lost.
  void revoked(PartitionIntake intake, boolean lost) {
    Place place = Place.of(intake.partition);
    flight.parked.forget(place);
    if (lost) {
      shed(place);
      intake.remaining.clear();
      intake.barriers++;
      flight.effects.barrier(intake);
      return;
    }
    for (Entry entry : of(place)) {
      entry.givenUp = true;
      if (!entry.status.isHandedOut()) {
        flight.detach(entry);
      }
      if (!release(entry)) {
        intake.remaining.add(entry);
      }
    }
  }

  /// Goes on with what is given up. Returns whether nothing is left of the partition.
  boolean release(PartitionIntake intake) {
    intake.remaining.removeIf(this::release);
    return intake.remaining.isEmpty();
  }

  /// Lets go of an entry that is given up, if its row says all that another broker has to know, and
  /// nothing is under way that might change it; else sees to that. Returns whether it is gone.
  private boolean release(Entry entry) {
    if (entry.step == Entry.Step.GONE) {
      return true;
    }
    if (entry.marksUnderWay > 0) {
      return false;
    }
    return switch (entry.step) {
      case STORING, MARKING, LEAVING, PRODUCING, REMOVING -> false;
      case STORED -> !marks.tellMore(entry) && shedNow(entry);
      case QUARANTINED -> {
        Entry kept = flight.entries.get(entry.id());
        yield shedNow(kept == null || kept.key != entry.key ? entry : kept);
      }
      case GONE -> true;
    };
  }

  private boolean shedNow(Entry entry) {
    endings.shed(entry, MOVED);
    return true;
  }

  /// The store did not make the changes: their places are not ours, and all that is in flight of
  /// them leaves memory.
  ///
  /// @return the partitions that are lost by that
  List<PartitionIntake> fenced(List<Change> changes) {
    Set<Place> places = new LinkedHashSet<>();
    for (Change change : changes) {
      flight.written(change);
      switch (change) {
        case Change.Consumed(_, _, _, PartitionIntake.Settled settled) -> {
          settled.partition().undurable--;
          places.add(Place.of(change));
        }
        // May be told after the partition was given up, and then even taken again.
        case Change.OffsetCommitted _ -> {}
        default -> places.add(Place.of(change));
      }
    }
    return lost(places);
  }

  /// Forgets all that is in flight of places that are not ours.
  ///
  /// @return the partitions that are lost by that
  List<PartitionIntake> lost(Collection<Place> places) {
    List<PartitionIntake> lost = new ArrayList<>();
    for (Place place : places) {
      shed(place);
      flight.parked.forget(place);
      for (PartitionIntake intake : partitions.values()) {
        if (!intake.lost && Place.of(intake.partition).equals(place)) {
          lost.add(intake);
        }
      }
    }
    return lost;
  }

  /// The store is not what it was: everything of partitions leaves memory.
  ///
  /// @return the partitions that are lost by that
  List<PartitionIntake> allLost() {
    List<PartitionIntake> lost = new ArrayList<>();
    for (PartitionIntake intake : partitions.values()) {
      if (!intake.lost) {
        Place place = Place.of(intake.partition);
        shed(place);
        flight.parked.forget(place);
        lost.add(intake);
      }
    }
    return lost;
  }

  private void shed(Place place) {
    for (Entry entry : of(place)) {
      if (entry.step != Entry.Step.GONE) {
        endings.shed(entry, MOVED);
      }
    }
  }

  private Collection<Entry> of(Place place) {
    List<Entry> found = flight.twins.of(place);
    for (Entry entry : flight.entries.values()) {
      if (place.has(entry)) {
        found.add(entry);
      }
    }
    return found;
  }
}
