package io.taskbroker.inflight;

import io.taskbroker.activation.Row;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// How entries that Kafka refused are tried again, so that no restart is needed when an operator
/// has mended their topic, or when one asks for it (H19). The payload is read from the store. Not
/// thread-safe.
final class SecondTries {
  private final Flight flight;
  private final Endings endings;
  private final Resumption resumption;

  SecondTries(Flight flight, Endings endings, Resumption resumption) {
    this.flight = flight;
    this.endings = endings;
    this.resumption = resumption;
  }

  /// Reads the entries whose turn it is.
  void begin() {
    Entry due = nextDue();
    while (due != null) {
      flight.asked(1);
      flight.effects.readRows(List.of(due.key), due);
      due = nextDue();
    }
  }

  private @Nullable Entry nextDue() {
    return flight.hasRoom() ? flight.quarantined.due(flight.now) : null;
  }

  /// Sends what was read to Kafka, unless the entry has ended, or is to leave this broker.
  ///
  /// @param rows its row, or none if the store has none or it is not this broker's
  void wasRead(Entry kept, List<Row> rows) {
    flight.answered(1);
    @Nullable Row row = rows.isEmpty() ? null : rows.getFirst();
    if (row == null || !isStill(kept) || row.leaving() == null) {
      // A row that is not to be had may be another broker's, of which this one is told soon.
      flight.quarantined.over(kept, flight.now, !isStill(kept));
      return;
    }
    Entry again = resumption.entry(row);
    again.step = Entry.Step.LEAVING;
    flight.unquarantine(again);
    flight.quarantined.trying(kept, again);
    endings.produce(again);
  }

  /// When there is something to do; [Long#MAX_VALUE] if never.
  long next() {
    return flight.hasRoom() ? flight.quarantined.next() : Long.MAX_VALUE;
  }

  private boolean isStill(Entry kept) {
    return kept.step == Entry.Step.QUARANTINED
        && !kept.givenUp
        && kept.equals(flight.entries.get(kept.id()));
  }
}
