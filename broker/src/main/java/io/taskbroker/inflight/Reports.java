package io.taskbroker.inflight;

import io.taskbroker.activation.Ids;
import io.taskbroker.activation.Ids.Fingerprint;
import io.taskbroker.activation.Status;

/// What workers report. A late report is not an error (G6); an answer waits until what it led to is
/// durable (G2). Not thread-safe.
final class Reports {
  private final Flight flight;
  private final Endings endings;
  private final Handouts handouts;

  Reports(Flight flight, Endings endings, Handouts handouts) {
    this.flight = flight;
    this.endings = endings;
    this.handouts = handouts;
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
    } else if (entry.step == Entry.Step.REMOVING) {
      entry.await(reply);
    } else if (update.status() == Status.COMPLETE) {
      complete(entry, reply);
    } else if (entry.isLeaving()) {
      if (entry.step == Entry.Step.LEAVING) {
        entry.await(reply);
      }
    } else if (entry.status.isHandedOut() && entry.step == Entry.Step.STORED) {
      entry.await(reply);
      if (update.status() == Status.RETRY) {
        endings.retry(entry, update.maxAttempts(), update.delayOnRetry());
      } else {
        endings.fail(entry, "its worker reported a failure");
      }
    } else {
      stale(update);
    }
  }

  /// Complete wins until the outbox has started to produce something else (H18).
  private void complete(Entry entry, Reply reply) {
    switch (entry.step) {
      case PRODUCING -> stale(entry.id());
      case QUARANTINED -> {
        flight.tally(Tally.COMPLETED, entry.activation);
        entry.await(reply);
        endings.endQuarantine(entry, false);
      }
      case STORING, STORED, MARKING, LEAVING, REMOVING -> {
        flight.tally(Tally.COMPLETED, entry.activation);
        entry.await(reply);
        endings.complete(entry);
      }
    }
  }

  /// The id is not in memory. A parked row was handed out by nobody lately, but a late Complete
  /// ends it all the same.
  private void followAbsent(Command.Update update, Reply reply) {
    if (flight.parked.size() > 0) {
      Fingerprint id = Ids.fingerprint(update.id());
      long key = flight.parked.get(id);
      if (key != FingerprintMap.ABSENT) {
        if (update.status() == Status.COMPLETE) {
          flight.parked.remove(id);
          Entry removed = endings.removeParked(key, update.id());
          flight.tally(Tally.COMPLETED, removed.activation);
          removed.await(reply);
        } else {
          stale(update);
        }
        return;
      }
    }
    reply.report.reply().unknown();
    flight.effects.notice(Notice.UNKNOWN_ID, update.id(), update.status().storedName());
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
