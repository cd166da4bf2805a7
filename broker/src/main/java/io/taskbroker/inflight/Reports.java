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

  Reports(Flight flight, Endings endings, Handouts handouts, ForeignReports foreign) {
    this.flight = flight;
    this.endings = endings;
    this.handouts = handouts;
    this.foreign = foreign;
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
      stale(update);
    }
  }

  /// Whether a worker may have run the activation: it has it, or it is pending again, and nobody
  /// else has it.
  private static boolean isPlausible(Entry entry) {
    return entry.step == Entry.Step.STORED
        && (entry.status.isHandedOut() || (entry.status == Status.PENDING && entry.mayHaveRun));
  }

  private static void await(Entry entry, @Nullable Reply reply) {
    if (reply != null) {
      entry.await(reply);
    }
  }

  /// Complete wins until the outbox has started to produce something else (H18).
  private void complete(Entry entry, @Nullable Reply reply) {
    switch (entry.step) {
      case PRODUCING -> stale(entry.id());
      case QUARANTINED -> {
        flight.tally(Tally.COMPLETED, entry.activation);
        await(entry, reply);
        endings.endQuarantine(entry, false);
      }
      case STORING, STORED, MARKING, LEAVING, REMOVING -> {
        flight.tally(Tally.COMPLETED, entry.activation);
        await(entry, reply);
        endings.complete(entry);
      }
      case GONE -> throw new IllegalStateException(entry.id() + " is in flight, and gone");
    }
  }

  /// The id is not in memory. A parked row was handed out by nobody lately, but a late Complete
  /// ends it all the same.
  private void followAbsent(Command.Update update, Reply reply) {
    if (flight.parked.size() > 0) {
      Fingerprint id = Ids.fingerprint(update.id());
      Place place = flight.parked.find(id);
      if (place != null) {
        if (update.status() == Status.COMPLETE) {
          completeParked(id, place, update.id()).await(reply);
        } else {
          stale(update);
        }
        return;
      }
    }
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
    flight.tally(Tally.COMPLETED, removed.activation);
    return removed;
  }

  /// What other brokers were told of rows that are, or were, ours (H3). Nobody waits for an answer.
  void recorded(List<Reported> reports) {
    for (Reported report : reports) {
      Entry entry = flight.entries.get(report.id());
      if (entry != null && entry.key == report.key()) {
        follow(
            entry,
            new Command.Update(
                report.id(), report.status(), report.maxAttempts(), report.delayOnRetry()),
            null);
      } else if (report.status() == Status.COMPLETE) {
        completeElsewhere(report);
      }
    }
  }

  /// Completes a row that waits for another of its id, or that is parked.
  private void completeElsewhere(Reported report) {
    Entry twin = flight.twins.find(report.id(), report.key());
    if (twin != null && twin.step == Entry.Step.STORED) {
      complete(twin, null);
    } else if (flight.parked.size() > 0) {
      Fingerprint id = Ids.fingerprint(report.id());
      Place place = flight.parked.find(id, report.key());
      if (place != null) {
        var _ = completeParked(id, place, report.id());
      }
    }
  }

  private void stale(Command.Update update) {
    flight.effects.notice(Notice.STALE_REPORT, update.id(), update.status().storedName());
  }

  private void stale(String id) {
    flight.effects.notice(Notice.STALE_REPORT, id, Status.COMPLETE.storedName());
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
