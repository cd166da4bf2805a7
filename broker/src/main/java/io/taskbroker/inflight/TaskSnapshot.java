package io.taskbroker.inflight;

import io.taskbroker.activation.Ids;
import io.taskbroker.activation.Ids.Fingerprint;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/// What the engine knows of one task at one moment. Immutable.
///
/// @param key of its row
/// @param status as its row will store it; empty if it is parked: then the row says it
/// @param state stored status and pending step, as in docs/task-states.md; `PARKED` if it is on
///   disk only
/// @param attempts processing deadlines that passed
/// @param deliveries by this process
/// @param deadline when the lease or the processing deadline ends, milliseconds since the epoch;
///   empty if no worker has it
/// @param why reason why it does not run now
public record TaskSnapshot(
    String id,
    long key,
    String status,
    String state,
    int attempts,
    int deliveries,
    OptionalLong deadline,
    WaitingReason why) {
  static final String PARKED = "PARKED";

  /// The snapshot of a task in memory or parked; null if the engine has none of that id.
  static @Nullable TaskSnapshot of(EngineState state, String id) {
    WaitingReason why = WaitingReason.of(state, id);
    if (why == null) {
      return null;
    }
    InFlightTask task = state.tasks.get(id);
    if (task == null) {
      Fingerprint fingerprint = Ids.fingerprint(id);
      PartitionKey partition = state.parked.find(fingerprint);
      long key = partition == null ? -1 : state.parked.key(fingerprint, partition);
      return new TaskSnapshot(id, key, "", PARKED, 0, 0, OptionalLong.empty(), why);
    }
    return new TaskSnapshot(
        id,
        task.key,
        task.status().storedName(),
        task.state().name(),
        task.attempts,
        task.deliveries,
        task.status().isHandedOut()
            ? OptionalLong.of(state.wallTime(task.deadline))
            : OptionalLong.empty(),
        why);
  }
}
