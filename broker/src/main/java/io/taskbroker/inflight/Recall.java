package io.taskbroker.inflight;

import io.taskbroker.activation.Ids;
import io.taskbroker.activation.ParkedRow;
import io.taskbroker.activation.Row;
import java.util.List;

/// How parked rows come back into memory (H13, H15). Not thread-safe.
final class Recall {
  private final Flight flight;
  private final Rulings rulings;
  private final Resumption resumption;

  Recall(Flight flight, Rulings rulings, Resumption resumption) {
    this.flight = flight;
    this.rulings = rulings;
    this.resumption = resumption;
  }

  /// Takes in what stays in memory of a row that is found parked.
  void found(ParkedRow row) {
    flight.parked.put(Ids.fingerprint(row.id()), row.origin(), row.key(), row.leavesTombstone());
    Lane lane = flight.lane(row.application());
    lane.parking.found(row.parkedUntil());
    flight.lanes.schedule(lane);
  }

  /// Reads parked rows back for the applications that have room for them.
  void read() {
    for (Lane lane : List.copyOf(flight.lanes.reading)) {
      if (lane.readAt > flight.wall || !flight.hasRoom() || !flight.memory.mayRead()) {
        return;
      }
      if (flight.memory.hasRoom(lane)) {
        lane.parking.read(flight, lane.room(flight.options.limits().maxPending()));
        flight.lanes.schedule(lane);
      }
    }
  }

  /// Takes the rows of a page that are parked still: what was done to a row since the page was
  /// asked for took it from the index (H15).
  void wasRead(Command.ParkedRead page) {
    if (page.upTo() == Rulings.ALL) {
      rulings.swept(page, this::unpark);
      return;
    }
    Lane lane = flight.lane(page.application());
    lane.parking.wasRead(flight, page);
    flight.lanes.schedule(lane);
    for (Row row : page.rows()) {
      var activation = row.activation();
      if (flight.parked.has(Ids.fingerprint(activation.id()), activation.origin(), row.key())) {
        unpark(row);
      }
    }
  }

  /// Takes a row into memory.
  void unpark(Row row) {
    long _ =
        flight.parked.remove(Ids.fingerprint(row.activation().id()), row.activation().origin());
    Lane lane = flight.lane(row.activation().application());
    Entry entry = new Entry(row.key(), row.activation(), row.status(), lane);
    entry.attempts = row.attempts();
    entry.committed = row.committed();
    entry.recalled = true;
    entry.step = Entry.Step.STORED;
    flight.follow(Life.READ_BACK, entry.activation, "");
    if (flight.join(entry) && rulings.admits(entry)) {
      if (flight.isInherited(row.key())) {
        resumption.resumeParked(entry);
      } else {
        resumption.stored(entry);
      }
    }
  }
}
