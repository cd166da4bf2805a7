package io.taskbroker.inflight;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.inflight.api.EventPort;
import java.util.List;

/// Outcomes of changes that the engine's model allows (docs/adr/0020):
///
/// | change | applied | duplicate | missing | fenced |
/// |---|---|---|---|---|
/// | insert | yes | no: the engine assigns each key once | no | shared store only |
/// | task of a slot | yes, or superseded: another broker fired it, or its schedule changed | as for an insert | no | shared store only |
/// | status update, confirmation, delay, forward, delete | yes | no | no: nothing follows the delete of a row, and nothing precedes its insert | shared store only |
/// | watermark, committed offset | yes | no | no | shared store only |
///
/// Any other outcome is an error of the broker, or of a program that changed the database. It is
/// reported, and the change counts as durable: it cannot be made, now or later. Not thread-safe.
final class OutcomeModel {
  private final boolean shared;
  private final EventPort events;

  /// @param shared whether other brokers share the store
  OutcomeModel(boolean shared, EventPort events) {
    this.shared = shared;
    this.events = events;
  }

  /// Whether the store may answer a change like this.
  boolean allows(Change change, ChangeOutcome outcome) {
    return switch (outcome) {
      case APPLIED -> true;
      case DUPLICATE, MISSING -> false;
      case FENCED -> shared;
      case SUPERSEDED -> change instanceof Change.Fire;
    };
  }

  /// Reports the outcomes that cannot be.
  ///
  /// @param outcomes of each change; empty if all were applied
  void check(List<Change> changes, List<ChangeOutcome> outcomes) {
    for (int i = 0; i < outcomes.size(); i++) {
      check(changes.get(i), outcomes.get(i));
    }
  }

  /// Reports fenced changes, unless other brokers share the store.
  void checkFenced(List<Change> changes) {
    for (Change change : changes) {
      check(change, ChangeOutcome.FENCED);
    }
  }

  private void check(Change change, ChangeOutcome outcome) {
    if (!allows(change, outcome)) {
      events.unexpected(change, outcome);
    }
  }
}
