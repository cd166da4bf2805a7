package io.taskbroker.inflight;

import io.taskbroker.inflight.api.Command;
import java.util.ArrayDeque;

/// Tasks that clients enqueue directly. A command is answered when every task that it adds is
/// durable, and every task that it finds is, too: the client of either may then forget it (G2,
/// docs/adr/0025). Commands wait in order while the store is behind. Not thread-safe.
final class Enqueues {
  private final EngineState state;
  private final Admission admission;
  private final ArrayDeque<PendingEnqueue> waiting = new ArrayDeque<>();

  Enqueues(EngineState state, Admission admission) {
    this.state = state;
    this.admission = admission;
  }

  void add(Command.Enqueue command) {
    waiting.addLast(new PendingEnqueue(command));
  }

  /// Admits tasks while the store keeps up.
  void accept() {
    PendingEnqueue first = waiting.peekFirst();
    while (first != null && state.hasRoomForArrivals()) {
      admit(first);
      if (first.hasNext()) {
        return;
      }
      waiting.removeFirst();
      awaitDuplicates(first);
      first.settle();
      first = waiting.peekFirst();
    }
  }

  boolean isWaiting() {
    return !waiting.isEmpty();
  }

  private void admit(PendingEnqueue enqueue) {
    while (enqueue.hasNext() && state.hasRoomForArrivals()) {
      admission.enqueue(enqueue, enqueue.next);
      enqueue.next++;
    }
  }

  /// A duplicate's first insert may be pending: the answer waits until its outcome is known.
  private void awaitDuplicates(PendingEnqueue enqueue) {
    if (!enqueue.duplicates().isEmpty()) {
      enqueue.await();
      state.store.barrier(enqueue);
    }
  }

  /// Handles a passed barrier. A duplicate that is unknown by now has ended, or the store refused
  /// its insert: nobody can say which.
  void barrierPassed(PendingEnqueue enqueue) {
    for (int index : enqueue.duplicates()) {
      if (!admission.isKnown(enqueue.activation(index))) {
        enqueue.unavailable(
            "task " + enqueue.activation(index).id() + " may have ended meanwhile: try again");
      }
    }
    enqueue.settle();
  }

  /// Refuses the commands that are not admitted: the broker stops.
  void stop() {
    waiting.forEach(enqueue -> enqueue.unavailable("the broker is stopping"));
    waiting.clear();
  }
}
