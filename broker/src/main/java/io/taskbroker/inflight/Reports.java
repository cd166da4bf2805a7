package io.taskbroker.inflight;

import io.taskbroker.activation.Ids;
import io.taskbroker.activation.Ids.Fingerprint;
import io.taskbroker.activation.Reported;
import io.taskbroker.activation.Status;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What workers report. A late report is not an error (G6); an answer waits until what it led to is
/// durable (G2). Not thread-safe.
final class Reports {
  private final Flight flight;
  private final Endings endings;
  private final Handouts handouts;
  private final ForeignReports foreign;
  private final ParkedReports parked;

  Reports(
      Flight flight,
      Endings endings,
      Handouts handouts,
      ForeignReports foreign,
      ParkedReports parked) {
    this.flight = flight;
    this.endings = endings;
    this.handouts = handouts;
    this.foreign = foreign;
    this.parked = parked;
  }

  void follow(Command.Report report) {
    var reply = new Reply(report);
    for (Command.Update update : report.updates()) {
      follow(update, reply);
    }
    flight.settled.addLast(reply);
  }

  private void follow(Command.Update update, Reply reply) {
    Entry entry = flight.entries.get(update.id());
    if (entry == null) {
      followAbsent(update, reply);
    } else {
      follow(entry, update, reply);
    }
  }

  /// @param reply null if nobody waits for the answer
  private void follow(Entry entry, Command.Update update, @Nullable Reply reply) {
    if (flight.follows) {
      flight.follow(Life.REPORTED, entry.activation, update.described());
    }
    if (entry.status == Status.PROCESSING) {
      entry.lane.madeRoom(flight.now);
    }
    if (entry.step == Entry.Step.REMOVING) {
      await(entry, reply);
    } else if (update.status() == Status.COMPLETE) {
      complete(entry, reply);
    } else if (entry.isLeaving()) {
      if (entry.step == Entry.Step.LEAVING) {
        await(entry, reply);
      }
    } else if (isPlausible(entry)) {
      await(entry, reply);
      if (update.status() == Status.RETRY) {
        endings.retry(entry, update.maxAttempts(), update.delayOnRetry());
      } else {
        endings.fail(entry, "its worker reported a failure");
      }
    } else {
      stale(entry, update.status());
    }
  }

  /// Whether a worker may have run the activation: it has it, or it is to run again, and nobody
  /// else has it.
  private static boolean isPlausible(Entry entry) {
    return entry.step == Entry.Step.STORED && (entry.status.isHandedOut() || entry.mayHaveRun);
  }

  private static void await(Entry entry, @Nullable Reply reply) {
    if (reply != null) {
      entry.await(reply);
    }
  }

  /// Complete wins until the outbox has started to produce something else (H18).
  private void complete(Entry entry, @Nullable Reply reply) {
    switch (entry.step) {
      case PRODUCING -> stale(entry, Status.COMPLETE);
      case QUARANTINED -> {
        flight.tally(Tally.COMPLETED, entry);
        flight.follow(Life.COMPLETED, entry.activation, "");
        await(entry, reply);
        endings.endQuarantine(entry, false);
      }
      case STORING, STORED, MARKING, LEAVING, REMOVING -> {
        flight.tally(Tally.COMPLETED, entry);
        flight.follow(Life.COMPLETED, entry.activation, "");
        await(entry, reply);
        endings.complete(entry);
      }
      case GONE -> throw new IllegalStateException(entry.id() + " is in flight, and gone");
    }
  }

  /// The id is not in memory. A late Complete ends a parked row, too; anything else depends on
  /// whether a worker may have run it.
  private void followAbsent(Command.Update update, Reply reply) {
    if (flight.parked.size() > 0) {
      Fingerprint id = Ids.fingerprint(update.id());
      Place place = flight.parked.find(id);
      if (place != null) {
        if (update.status() == Status.COMPLETE) {
          completeParked(id, place, update.id()).await(reply);
        } else if (!parked.follow(flight.parked.key(id, place), update, reply)) {
          stale(update);
        }
        return;
      }
    }
    passOn(update, reply);
  }

  /// The broker has no activation of that id, in memory or parked.
  private void passOn(Command.Update update, Reply reply) {
    if (flight.options.shared()) {
      foreign.passOn(update, reply);
      return;
    }
    reply.report.reply().unknown();
    flight.effects.notice(Notice.UNKNOWN_ID, update.id(), update.status().storedName());
  }

  private Entry completeParked(Fingerprint id, Place place, String name) {
    boolean remembered = flight.parked.leavesTombstone(id, place);
    long key = flight.parked.remove(id, place);
    Entry removed = endings.removeParked(place, key, name, remembered);
    flight.tally(Tally.COMPLETED, removed);
    return removed;
  }

  /// Rows were read because of reports about them; a row that no worker can have run stays parked.
  void parkedRead(Command.RowsRead answer) {
    for (ParkedReports.Question question : parked.read(answer)) {
      Command.Update update = question.update();
      Reply reply = question.reply();
      Entry entry = flight.entries.get(update.id());
      if (entry != null && (reply != null || entry.key == question.key())) {
        follow(entry, update, reply);
      } else if (flight.parked.has(Ids.fingerprint(update.id()))) {
        stale(update);
      } else if (reply != null) {
        passOn(update, reply);
      }
      if (reply != null) {
        flight.settled.addLast(reply);
      }
    }
  }

  /// What other brokers were told of rows that are, or were, ours (H3). Nobody waits for an answer.
  void recorded(List<Reported> reports) {
    for (Reported report : reports) {
      var update =
          new Command.Update(
              report.id(), report.status(), report.maxAttempts(), report.delayOnRetry());
      Entry entry = flight.entries.get(report.id());
      if (entry != null && entry.key == report.key()) {
        follow(entry, update, null);
      } else {
        recordedElsewhere(report, update);
      }
    }
  }

  /// Follows a report about a row that waits for another of its id, or that is parked.
  private void recordedElsewhere(Reported report, Command.Update update) {
    boolean complete = report.status() == Status.COMPLETE;
    Entry twin = flight.twins.find(report.id(), report.key());
    if (twin != null) {
      if (complete && twin.step == Entry.Step.STORED) {
        complete(twin, null);
      }
    } else if (flight.parked.size() > 0) {
      Fingerprint id = Ids.fingerprint(report.id());
      Place place = flight.parked.find(id, report.key());
      if (place != null && complete) {
        var _ = completeParked(id, place, report.id());
      } else if (place != null) {
        var _ = parked.follow(report.key(), update, null);
      }
    }
  }

  private void stale(Command.Update update) {
    flight.effects.notice(Notice.STALE_REPORT, update.id(), update.status().storedName());
  }

  private void stale(Entry entry, Status reported) {
    flight.effects.notice(Notice.STALE_REPORT, entry.activation, reported.storedName());
  }

  /// Answers the reports all of whose effects are durable.
  void answer() {
    Reply reply = flight.settled.pollFirst();
    while (reply != null) {
      if (reply.settle()) {
        Command.Claim next = reply.report.next();
        if (next == null) {
          flight.effects.reply(reply.report.reply(), null);
        } else {
          handouts.claim(
              next.application(), next.namespace(), new Taker.AfterReport(reply.report.reply()));
        }
      }
      reply = flight.settled.pollFirst();
    }
  }
}
