package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Ids;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import java.util.ArrayDeque;
import java.util.function.Consumer;

/// What the rules mean for what is in flight already (G5, H22). What is in memory is judged when
/// the rules change, and when it comes into memory; so nothing that is switched off is in a queue,
/// and the send needs no check of its own. What is parked is swept in pages, in the background. Not
/// thread-safe.
///
/// What is switched off is removed whoever has it; what is demoted leaves when it could run. What
/// is leaving already has been judged by other things, and leaves (H7).
final class Rulings {
  /// Asks for rows however late they are due: no other page does.
  static final long ALL = Long.MAX_VALUE;

  private static final int PAGE = 256;

  private final Flight flight;
  private final Endings endings;

  /// The applications whose parked rows are not judged, the first of them in part.
  private final ArrayDeque<String> unswept = new ArrayDeque<>();

  private long cursorDue = Long.MIN_VALUE;
  private long cursorKey = Long.MIN_VALUE;
  private boolean reading;

  /// Whether the page under way was asked for before the sweep began anew.
  private boolean stale;

  Rulings(Flight flight, Endings endings) {
    this.flight = flight;
    this.endings = endings;
  }

  /// Other rules hold from now on.
  void change(Rules rules) {
    flight.rules = rules;
    for (Entry entry : flight.entries.values()) {
      if (admits(entry) && entry.demotion != null && entry.queue != null) {
        endings.ready(entry, false);
      }
    }
    beginSweep();
  }

  /// Judges an entry, and removes it if it is switched off. Returns whether it stays; where it is
  /// demoted to is noted, and [Endings#ready] does the rest.
  boolean admits(Entry entry) {
    if (entry.isGoing() || entry.destination != null || entry.status == Status.COMPLETE) {
      return true;
    }
    return switch (flight.rules.judge(entry.activation)) {
      case Rules.Verdict.Kept _ -> {
        entry.demotion = null;
        yield true;
      }
      case Rules.Verdict.Demoted(var destination) -> {
        entry.demotion = destination;
        yield true;
      }
      case Rules.Verdict.Killed _ -> {
        flight.tally(Tally.SWITCHED_OFF, entry);
        flight.effects.notice(Notice.SWITCHED_OFF, entry.activation, "");
        endings.complete(entry);
        yield false;
      }
    };
  }

  /// Begins to judge all that is parked.
  void beginSweep() {
    unswept.clear();
    cursorDue = Long.MIN_VALUE;
    cursorKey = Long.MIN_VALUE;
    stale = reading;
    if (flight.rules.exist()) {
      for (Lane lane : flight.lanes.all()) {
        if (lane.parking.holdsAny()) {
          unswept.addLast(lane.application);
        }
      }
    }
  }

  /// Reads the next page of the sweep, if there is room for what may come of it.
  void sweep() {
    String application = unswept.peekFirst();
    if (application != null
        && !reading
        && flight.delivering
        && flight.hasRoom()
        && flight.memory.hasRoom()
        && flight.leaving < Bounds.MAX_LEAVING) {
      reading = true;
      flight.effects.readParked(application, cursorDue, cursorKey, ALL, PAGE);
    }
  }

  /// Judges a page of the sweep.
  ///
  /// @param unpark takes a row into memory
  void swept(Command.ParkedRead page, Consumer<Row> unpark) {
    for (Row row : page.rows()) {
      Activation activation = row.activation();
      if (flight.parked.has(Ids.fingerprint(activation.id()), activation.origin(), row.key())) {
        judgeParked(row, unpark);
      }
    }
    reading = false;
    if (stale) {
      stale = false;
    } else if (page.rows().isEmpty() || page.nextDue() == Row.NONE) {
      unswept.pollFirst();
      cursorDue = Long.MIN_VALUE;
      cursorKey = Long.MIN_VALUE;
    } else {
      Row last = page.rows().getLast();
      cursorDue = last.parkedUntil();
      cursorKey = last.key();
    }
  }

  private void judgeParked(Row row, Consumer<Row> unpark) {
    Activation activation = row.activation();
    switch (flight.rules.judge(activation)) {
      case Rules.Verdict.Kept _ -> {}
      case Rules.Verdict.Killed _ -> {
        flight.tally(Tally.SWITCHED_OFF, activation);
        flight.effects.notice(Notice.SWITCHED_OFF, activation, "");
        long _ = flight.parked.remove(Ids.fingerprint(activation.id()), activation.origin());
        endings.removeParked(
            Place.of(activation.origin()),
            row.key(),
            activation.id(),
            activation.leavesTombstone());
      }
      case Rules.Verdict.Demoted _ -> {
        // Another broker may have what is unproven (H2): that is found out when it is to run.
        boolean unproven = !flight.options.shared() && activation.atMostOnce() && !row.committed();
        if (activation.delayUntil() <= flight.wall && !unproven) {
          unpark.accept(row);
        }
      }
    }
  }
}
