package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.Destination;
import io.taskbroker.activation.FailurePolicy;
import io.taskbroker.activation.Retries;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// How activations end: completed, discarded, retried, dead-lettered. What leaves is decided
/// durably before it is produced, and acknowledged before it is forgotten (G4, H7). Not
/// thread-safe.
final class Endings {
  /// Why a dead letter is one whose time was over.
  static final String EXPIRED = "it expired";

  private final Flight flight;

  Endings(Flight flight) {
    this.flight = flight;
  }

  /// It is done: its row goes.
  void complete(Entry entry) {
    complete(entry, false);
  }

  private void complete(Entry entry, boolean mayReturn) {
    free(entry);
    flight.turn(entry, Status.COMPLETE);
    remove(entry, mayReturn);
  }

  /// Removes a parked row, of which no more is in memory than this. Until the row is gone the entry
  /// stands for it, as for any row on its way out.
  ///
  /// @param remembered whether its id leaves a tombstone (H8)
  Entry removeParked(Place place, long key, String id, boolean remembered) {
    var unknown =
        new Activation(
            id,
            "",
            "",
            "",
            new byte[0],
            place.origin(),
            flight.wall,
            Activation.NEVER,
            0,
            0,
            FailurePolicy.UNSPECIFIED,
            false,
            remembered);
    var entry = new Entry(key, unknown, Status.COMPLETE, flight.lanes.nobody);
    entry.step = Entry.Step.STORED;
    boolean _ = flight.join(entry);
    remove(entry, false);
    return entry;
  }

  /// Removes the row of an entry that is complete. The ids of retries and of what may run only once
  /// are remembered, unless they left for the dead-letter topic, from where they may rightly return
  /// (H8).
  void remove(Entry entry, boolean mayReturn) {
    entry.step = Entry.Step.REMOVING;
    boolean remembered = !mayReturn && entry.activation.leavesTombstone();
    long until = remembered ? flight.wall + flight.options.periods().tombstone() : Row.NONE;
    flight.write(new Change.Delete(entry.key, entry.id(), entry.activation.origin(), until, entry));
  }

  /// It failed for good, and meets its failure policy.
  void fail(Entry entry, String why) {
    if (entry.activation.failurePolicy().deadLetters()) {
      flight.tally(Tally.DEAD_LETTERED, entry);
      flight.effects.notice(Notice.DEAD_LETTERED, entry.activation, why);
      leave(entry, Status.FAILURE, null, flight.deadLetter(entry.activation, why));
    } else {
      flight.tally(Tally.DISCARDED, entry);
      flight.effects.notice(Notice.DISCARDED, entry.activation, why);
      complete(entry);
    }
  }

  /// Its time is over (G5, W9).
  void expire(Entry entry) {
    flight.tally(Tally.EXPIRED, entry);
    flight.effects.notice(Notice.EXPIRED, entry.activation, "");
    if (entry.activation.failurePolicy().deadLetters()) {
      leave(entry, Status.FAILURE, null, flight.deadLetter(entry.activation, EXPIRED));
    } else {
      complete(entry);
    }
  }

  /// It could run now, and is put into its queue; if its namespace is demoted, it leaves instead.
  ///
  /// @param first whether it goes before the others
  void ready(Entry entry, boolean first) {
    if (entry.givenUp) {
      return;
    }
    Destination demotion = entry.demotion;
    if (demotion == null) {
      flight.enqueue(entry, first);
      return;
    }
    flight.tally(Tally.DEMOTED_IN_FLIGHT, entry);
    flight.effects.notice(
        Notice.DEMOTED_IN_FLIGHT, entry.activation, Notice.namespaceAndTask(entry.activation));
    leave(entry, Status.FAILURE, null, demotion);
  }

  /// It is to run again, as a new activation.
  void retry(Entry entry, long maxAttempts, long delayOnRetry) {
    Optional<Retries.Retry> retry =
        Retries.of(entry.activation.payload(), entry.id(), maxAttempts, delayOnRetry, flight.wall);
    if (retry.isEmpty()) {
      fail(entry, "cannot be retried: its payload is not an activation");
      return;
    }
    flight.effects.notice(Notice.RETRIED, entry.activation, "retry_id=" + retry.get().id());
    leave(entry, Status.RETRY, retry.get().payload(), Destination.of(flight.options.retryTopic()));
  }

  private void leave(
      Entry entry, Status status, byte @Nullable [] payload, Destination destination) {
    free(entry);
    if (entry.status != status) {
      flight.turn(entry, status);
    }
    entry.step = Entry.Step.LEAVING;
    entry.destination = destination;
    flight.departs(entry, payload);
    flight.write(
        new Change.Leave(
            entry.key, entry.id(), entry.activation.origin(), status, payload, destination, entry));
  }

  /// The decision is durable: from here on it can only leave.
  void produce(Entry entry) {
    if (entry.step != Entry.Step.LEAVING) {
      return;
    }
    entry.step = Entry.Step.PRODUCING;
    byte[] departing = entry.departing;
    Destination destination = entry.destination;
    if (destination == null) {
      throw new IllegalStateException("Activation " + entry.id() + " leaves for nowhere");
    }
    flight.effects.produce(
        new Departure(
            entry.id(),
            entry.id(),
            departing == null ? entry.activation.payload() : departing,
            destination,
            entry));
  }

  void produced(Departure departure) {
    if (departure.owner() instanceof Entry entry && entry.step == Entry.Step.PRODUCING) {
      if (flight.quarantined.isTried(entry)) {
        flight.quarantined.over(entry, flight.now, true);
      }
      boolean dead = entry.status == Status.FAILURE;
      flight.follow(
          dead ? Life.PRODUCED : Life.RETRY_PRODUCED,
          entry.activation,
          departure.destination().topic());
      flight.tally(
          !dead
              ? Tally.RETRY_PRODUCED
              : isDemotion(departure) ? Tally.DEMOTION_PRODUCED : Tally.DEAD_LETTER_PRODUCED,
          entry);
      complete(entry, dead);
    }
  }

  void refused(Departure departure, String why) {
    if (departure.owner() instanceof Entry entry && entry.step == Entry.Step.PRODUCING) {
      entry.step = Entry.Step.QUARANTINED;
      Entry kept = flight.quarantine(entry, departure.payload().length, why);
      if (flight.quarantined.isTried(entry)) {
        flight.quarantined.over(entry, flight.now, false);
      } else {
        if (isDemotion(departure)) {
          flight.tally(Tally.DEMOTION_REFUSED, entry);
        }
        flight.effects.notice(Notice.QUARANTINED, entry.activation, why);
      }
      if (flight.twins.waitFor(entry.id())) {
        endQuarantine(kept, true);
      }
    }
  }

  /// Only a rule names the cluster. The topic says nothing: that of dead letters may have another
  /// name since the decision.
  private static boolean isDemotion(Departure departure) {
    return !departure.destination().cluster().isEmpty();
  }

  /// Gives up what cannot be produced: it was completed after all, or comes again, or an operator
  /// discards it.
  ///
  /// @param mayReturn whether its id may come again
  void endQuarantine(Entry entry, boolean mayReturn) {
    flight.quarantined.remove(entry);
    flight.leaving++;
    complete(entry, mayReturn);
  }

  /// Forgets an entry whose row is another broker's now, or is to be; nothing is written. Whoever
  /// waits for it is to ask again.
  void shed(Entry entry, String why) {
    free(entry);
    for (Reply reply : entry.takeWaiting()) {
      reply.unavailable(why);
    }
    Command.EnqueueReply enqueued = entry.enqueued;
    if (enqueued != null) {
      entry.enqueued = null;
      enqueued.unavailable(why);
    }
    flight.quarantined.remove(entry);
    // What is quarantined counts no more.
    if (entry.step != Entry.Step.QUARANTINED && entry.status != Status.COMPLETE) {
      flight.turn(entry, Status.COMPLETE);
    }
    entry.step = Entry.Step.GONE;
    flight.remove(entry);
  }

  /// Takes the entry from whoever has it or waits for it.
  private void free(Entry entry) {
    flight.detach(entry);
    Taker taker = entry.taker;
    if (taker != null) {
      entry.taker = null;
      if (taker == Taker.Push.WORKER) {
        entry.lane.calls--;
      }
      taker.take(flight.effects, null);
    }
  }
}
