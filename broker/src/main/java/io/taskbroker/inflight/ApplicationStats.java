package io.taskbroker.inflight;

import java.util.List;
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

  static List<ApplicationStats> of(EngineState state, int limit) {
    return state.queues.all().stream().limit(limit).map(queue -> of(state, queue)).toList();
  }

  private static ApplicationStats of(EngineState state, ApplicationQueue queue) {
    InFlightTask oldest = queue.oldest(null);
    return new ApplicationStats(
        queue.application,
        queue.hasReady(),
        queue.pending,
        queue.handedOut,
        queue.delayed,
        queue.backlog.holdsAny(),
        oldest == null ? OptionalLong.empty() : OptionalLong.of(oldest.activation.receivedAt()),
        queue.memoryBytes,
        Optional.ofNullable(queue.push).map(push -> of(state, push)));
  }

  private static Push of(EngineState state, PushChannel push) {
    long ends = push.pauseEnds(state.now);
    return new Push(
        push.calls(),
        push.window.size(),
        ends == Long.MAX_VALUE ? OptionalLong.empty() : OptionalLong.of(state.wallTime(ends)));
  }
}
