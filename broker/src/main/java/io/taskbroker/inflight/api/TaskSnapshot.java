package io.taskbroker.inflight.api;

import io.taskbroker.activation.TaskHistory;
import java.util.OptionalLong;

/// State of one task in the engine at one moment. Immutable.
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
/// @param history encoded [TaskHistory]; empty if none is recorded
@SuppressWarnings("ArrayRecordComponent") // never compared
public record TaskSnapshot(
    String id,
    long key,
    String status,
    String state,
    int attempts,
    int deliveries,
    OptionalLong deadline,
    WaitingReason why,
    byte[] history) {
  /// State of a task that is on disk only.
  public static final String PARKED = "PARKED";
}
