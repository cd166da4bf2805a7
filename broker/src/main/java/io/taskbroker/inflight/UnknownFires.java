package io.taskbroker.inflight;

import io.taskbroker.activation.Change;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Tasks of slots that this broker fires, until it is known whether it was first: as many as the
/// schedules of a few enqueues.
///
/// A task may end before that: a rule switches it off, or a client cancels it. Its delete is held
/// until its row exists. The delete of a row that was never made would leave its id behind, and the
/// slot, which is still due, would count as fired (G1). Not thread-safe.
final class UnknownFires {
  private final Map<String, Pending> byId = new HashMap<>();

  private static final class Pending {
    final long key;
    Change.@Nullable Delete end;

    Pending(long key) {
      this.key = key;
    }
  }

  void begin(Change.Fire fire) {
    byId.put(fire.id(), new Pending(fire.key()));
  }

  boolean has(String id) {
    return byId.containsKey(id);
  }

  /// Holds the delete of such a task. Returns false if it is about another row.
  boolean hold(Change.Delete delete) {
    Pending pending = byId.isEmpty() ? null : byId.get(delete.id());
    if (pending == null || pending.key != delete.key()) {
      return false;
    }
    pending.end = delete;
    return true;
  }

  /// Handles the outcome of a fire. Returns the held delete, which is due if the row was made; null
  /// if there is none.
  Change.@Nullable Delete end(Change.Fire fire) {
    Pending pending = byId.remove(fire.id());
    return pending == null ? null : pending.end;
  }
}
