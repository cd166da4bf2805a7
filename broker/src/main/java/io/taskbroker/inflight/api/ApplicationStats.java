package io.taskbroker.inflight.api;

import java.util.Optional;
import java.util.OptionalLong;

/// Figures of one application at one moment, in tasks. Immutable.
///
/// @param ready runnable now, the first of each namespace at least
/// @param pending stored or being stored, and not delayed: ready, held by a pause, or waiting
/// @param processing workers have them, or are being called with them
/// @param delayed in memory; parked ones are not counted here
/// @param parked whether some are on disk only
/// @param oldestReceivedAt when the oldest ready task was received, milliseconds since the epoch
/// @param memoryBytes bytes of memory of its tasks
/// @param push condition of the workers that the broker calls; empty if it calls none
public record ApplicationStats(
    String application,
    boolean ready,
    int pending,
    int processing,
    int delayed,
    boolean parked,
    OptionalLong oldestReceivedAt,
    long memoryBytes,
    Optional<Push> push) {

  /// Calls to the workers of an application.
  ///
  /// @param calls in flight
  /// @param window most calls in flight at this moment
  /// @param pausedUntil end of the pause after failures, milliseconds since the epoch; empty if
  ///   there is none
  public record Push(int calls, int window, OptionalLong pausedUntil) {}
}
