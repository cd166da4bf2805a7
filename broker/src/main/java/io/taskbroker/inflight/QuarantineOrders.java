package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.Destination;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.Quarantine.Held;
import java.util.ArrayList;
import java.util.List;

/// How an operator's orders about activations that cannot be produced are followed (H19). What is
/// decided is written down before anything is produced, as every departure is (G4). Not
/// thread-safe.
final class QuarantineOrders {
  private final Flight flight;
  private final Endings endings;

  QuarantineOrders(Flight flight, Endings endings) {
    this.flight = flight;
    this.endings = endings;
  }

  QuarantineAnswer follow(QuarantineOrder order) {
    List<Held> matching = flight.quarantined.matching(flight.entries, order.ids(), order.topic());
    var tasks = new ArrayList<QuarantineAnswer.Task>();
    int done = 0;
    int left = 0;
    for (Held one : matching) {
      boolean mayAct = done < order.limit() && flight.hasRoom();
      switch (order.action()) {
        case LIST -> {
          if (tasks.size() < order.limit()) {
            tasks.add(describe(one));
          }
        }
        case RELEASE -> done += flight.quarantined.release(one) ? 1 : 0;
        case RETARGET -> {
          if (!isFor(one, order.target())) {
            if (mayAct) {
              retarget(one, order.target());
              done++;
            } else {
              left++;
            }
          }
        }
        case DISCARD -> {
          if (mayAct) {
            discard(one);
            done++;
          } else {
            left++;
          }
        }
      }
    }
    return new QuarantineAnswer(matching.size(), done, left, flight.leaving, tasks);
  }

  private static boolean isFor(Held one, String topic) {
    Destination destination = one.destination();
    return destination.topic().equals(topic) && destination.cluster().isEmpty();
  }

  /// The row is read again behind this change, so that what is produced has gone where the row
  /// says.
  private void retarget(Held one, String topic) {
    Entry entry = one.entry();
    var destination = new Destination(topic, one.destination().headers());
    flight.mark(
        entry,
        new Change.Leave(
            entry.key,
            entry.id(),
            entry.activation.origin(),
            entry.status,
            null,
            destination,
            entry));
    flight.quarantined.redirect(one, destination, flight.now);
    Held moved = flight.quarantined.of(entry);
    if (moved != null) {
      boolean _ = flight.quarantined.release(moved);
    }
  }

  /// Its id may come again: nothing was produced that is the same.
  private void discard(Held one) {
    Entry entry = one.entry();
    flight.tally(Tally.DISCARDED, entry.activation);
    flight.effects.notice(
        Notice.DISCARDED, entry.id(), "by an operator, it was for " + one.destination().topic());
    endings.endQuarantine(entry, entry.status == Status.FAILURE);
  }

  private static QuarantineAnswer.Task describe(Held one) {
    Entry entry = one.entry();
    Activation activation = entry.activation;
    Destination destination = one.destination();
    return new QuarantineAnswer.Task(
        entry.id(),
        activation.application(),
        activation.namespace(),
        activation.taskname(),
        entry.status.storedName(),
        destination.topic(),
        destination.cluster(),
        one.reason(),
        one.size(),
        one.since(),
        activation.receivedAt());
  }
}
